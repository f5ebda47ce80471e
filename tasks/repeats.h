#pragma once

#include <span>
#include <string>
#include <string_view>

namespace palisade {

// The words of a text alone: lower case of ASCII, no punctuation, one space between words.
std::string words_alone(std::string_view text);

// Cosine of two vectors of length 1 (pooled_features()); 0 where they have no common size.
double likeness_of(std::span<const float> one, std::span<const float> other);

}  // namespace palisade
