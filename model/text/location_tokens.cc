#include "model/text/location_tokens.h"

#include <algorithm>
#include <cmath>

#include "model/text/tokenizer.h"

namespace palisade {

LocationTokens location_tokens(const Tokenizer& tokenizer) {
  const auto first = tokenizer.encode("<loc0000>"), last = tokenizer.encode("<loc1023>");
  const bool in_order =
      first.size() == 1 && last.size() == 1 && last[0] - first[0] == LocationTokens::kCount - 1;
  return {.first = in_order ? first[0] : -1};
}

double location_spread(std::span<const float> logits, const LocationTokens& tokens) {
  const auto own = logits.subspan(std::size_t(tokens.first), LocationTokens::kCount);
  const double largest = std::ranges::max(own);
  double mass = 0, mean = 0, square = 0;
  for (int location = 0; location < LocationTokens::kCount; ++location) {
    const double weight = std::exp(own[location] - largest);
    mass += weight;
    mean += weight * location;
    square += weight * location * location;
  }
  mean /= mass;
  return std::sqrt(std::max(0.0, square / mass - mean * mean));
}

}  // namespace palisade
