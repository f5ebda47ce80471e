#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "model/text/added_tokens.h"
#include "model/text/sentencepiece_file.h"
#include "model/text/tokenizer_json.h"

namespace palisade {

// The pieces of a Gemma folder, from whichever of its files has them, and the tokens beside them.
struct PieceTable {
  std::filesystem::path file;          // it is read from
  std::string bytes;                   // of a tokenizer.model, views of which follow
  std::optional<TokenizerJson> json;   // where this stands alone; the views are of its vocabulary
  SentencePieceModel model;            // checked
  std::vector<AddedToken> past_table;  // by id
};

// tokenizer.model decides where both are there. Throws Error naming the file where one cannot be used,
// or they disagree.
PieceTable read_piece_table(const std::filesystem::path& folder);

}  // namespace palisade
