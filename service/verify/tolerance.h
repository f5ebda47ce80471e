#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "model/matmul/precision.h"

namespace palisade {

// The README's, in f32.
inline constexpr double kPixelTolerance = 1e-6, kTowerTolerance = 1e-4, kLogitTolerance = 1e-3;

// How far a tensor may be from the golden one: `in_f32` (the README's) in f32. Where matmuls are rounded, a
// share of the golden tensor's largest magnitude. Measured: 0.09 in bf16, 0.28 in int8. One matmul is off by
// 0.3 % and 1.3 %, but random weights pass on and multiply what a layer is off by, where trained ones do not.
inline double tolerance_of(Precision precision, double in_f32, std::span<const float> golden) {
  constexpr double kBf16Share = 0.12, kInt8Share = 0.35;
  if (precision == Precision::kF32) return in_f32;
  float largest = 0;
  for (const float value : golden) largest = std::max(largest, std::abs(value));
  return (precision == Precision::kBf16 ? kBf16Share : kInt8Share) * largest;
}

// Margins between the tokens of random models are smaller than what rounding changes, so tokens chosen are
// compared in f32 alone; logits are in all precisions, fed with the golden tokens.
inline constexpr char kTokensSkipped[] = "tokens chosen are compared in f32 alone";

}  // namespace palisade
