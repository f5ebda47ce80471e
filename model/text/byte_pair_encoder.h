#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/text/sentencepiece_file.h"
#include "model/text/token_matcher.h"

namespace palisade {

// Two tokens that become a third.
struct TokenMerge {
  TokenId left = 0, right = 0, merged = 0;
};

// Gemma's byte pair encoding as tokenizer.json has it: a vocabulary and merges, the first of which go first.
// Spaces become U+2581, user-defined pieces stand for themselves, and a character that is no piece becomes
// its bytes. Any thread.
class BytePairEncoder {
 public:
  // `pieces` hold all 256 bytes, and every id of `merges`, whose pairs are all different.
  BytePairEncoder(std::span<const SentencePiece> pieces, std::span<const TokenMerge> merges);

  // What is no UTF-8 becomes U+FFFD, byte by byte, as SentencePiece does it.
  std::vector<TokenId> encode(std::string_view text) const;

 private:
  struct Rank {
    std::uint64_t pair;  // left above right
    std::int32_t rank;
    TokenId merged;
  };
  const Rank* rank_of(TokenId left, TokenId right) const;
  void encode_plain(std::string_view text, std::vector<TokenId>& ids) const;

  std::unordered_map<char32_t, TokenId> characters_;  // pieces of one
  std::array<TokenId, 256> bytes_{};
  TokenMatcher user_defined_;
  std::vector<Rank> ranks_;  // by pair
};

// The byte that a piece like "<0x0A>" stands for; -1 for any other.
int byte_of_piece(std::string_view text);

}  // namespace palisade
