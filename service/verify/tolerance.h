#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "model/precision.h"

namespace palisade {

// How far a tensor may be from the golden one: `in_f32` (the README's) in f32. Where products are rounded, a
// share of the golden tensor's largest magnitude; the random models of the golden data, 40 to 64 wide, lose
// more than large ones do, because a rounded row has fewer values to average over.
inline double tolerance_of(Precision precision, double in_f32, std::span<const float> golden) {
  constexpr double kBf16Share = 0.05, kInt8Share = 0.2;
  if (precision == Precision::kF32) return in_f32;
  float largest = 0;
  for (const float value : golden) largest = std::max(largest, std::abs(value));
  return (precision == Precision::kBf16 ? kBf16Share : kInt8Share) * largest;
}

// Margins between the tokens of random models are smaller than what rounding changes, so tokens chosen are
// compared in f32 alone; logits are in all precisions, fed with the golden tokens.
inline constexpr char kTokensSkipped[] = "tokens chosen are compared in f32 alone";

}  // namespace palisade
