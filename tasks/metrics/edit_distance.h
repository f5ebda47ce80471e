#pragma once

#include <cstddef>
#include <string_view>

namespace palisade {

// Levenshtein distance in code points: insert, delete and replace cost 1 each. Takes product of the lengths /
// 64 steps.
std::size_t edit_distance(std::u32string_view one, std::u32string_view other);

// ANLS of one answer: 1 less the distance by the longer length, 0 where that is a half or less. An empty
// target: 1 where the prediction is empty too.
double anls(std::string_view prediction, std::string_view target);

}  // namespace palisade
