#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace palisade {

// The texts of a large file one after the other, in one block of memory.
class TextList {
 public:
  void add(std::string_view text);
  std::size_t size() const { return ends_.size(); }
  std::string_view operator[](std::size_t index) const;

 private:
  std::string texts_;
  std::vector<std::uint32_t> ends_;
};

// A tokenizer.json as it stands in the file. Vocabulary and merges, which are nearly all of it, never become
// Json values.
struct TokenizerJsonParts {
  Json rest;  // with the vocabulary and the merges empty
  TextList vocabulary;
  std::vector<std::uint64_t> ids;  // of the vocabulary
  TextList merges;                 // two texts each
};

// Reads untrusted JSON as parse_json() does, 64 levels deep, with at most 2^20 pieces, 2^22 merges and 2^20
// other values. Throws Error that begins with `what`. Without `merges` reading ends at them, where all
// else stands before them: they are most of the file.
TokenizerJsonParts read_tokenizer_json_parts(std::string_view text, const std::string& what, bool merges);

}  // namespace palisade
