#pragma once

#include <optional>
#include <span>

#include "model/token_id.h"

namespace palisade {

class Tokenizer;

// <loc0000> to <loc1023>, which PaliGemma's vocabulary has one after the other. `first` is below 0 where a
// vocabulary has none.
struct LocationTokens {
  static constexpr int kCount = 1024;
  TokenId first = -1;

  // The number that a token names, or nothing.
  std::optional<int> location_of(TokenId token) const {
    if (first < 0 || token < first || token >= first + kCount) return std::nullopt;
    return token - first;
  }
};
LocationTokens location_tokens(const Tokenizer& tokenizer);

// How far the next location is spread: the standard deviation of its number, among the locations alone.
// `tokens` has some; `logits` are finite and cover them.
double location_spread(std::span<const float> logits, const LocationTokens& tokens);

}  // namespace palisade
