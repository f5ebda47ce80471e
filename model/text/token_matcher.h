#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/token_id.h"

namespace palisade {

struct KnownToken {
  std::string text;
  TokenId id = 0;
};

// Texts that are tokens as they stand, wherever they stand. Any thread.
class TokenMatcher {
 public:
  TokenMatcher() = default;
  // None of them empty, all different.
  explicit TokenMatcher(std::vector<KnownToken> tokens);

  bool empty() const { return tokens_.empty(); }
  // The longest that `text` begins with, or nullptr.
  const KnownToken* longest_at(std::string_view text) const;

  // Calls `plain` for each part of `text` between such tokens, which is not empty, and `token` for each of
  // them, in order: the first that begins, the longest of those that begin together.
  template <typename Plain, typename Token>
  void split(std::string_view text, Plain plain, Token token) const {
    std::size_t begun = 0;
    for (std::size_t at = 0; at < text.size();) {
      const KnownToken* const found = longest_at(text.substr(at));
      if (found == nullptr) {
        ++at;
        continue;
      }
      if (at > begun) plain(text.substr(begun, at - begun));
      token(*found);
      begun = at += found->text.size();
    }
    if (begun < text.size()) plain(text.substr(begun));
  }

 private:
  std::vector<KnownToken> tokens_;           // by text
  std::array<std::uint32_t, 257> begins_{};  // where those of each first byte begin
};

}  // namespace palisade
