#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "model/matmul/precision.h"

namespace palisade {

// Tolerances in f32, from the reference's README.
inline constexpr double kPixelTolerance = 1e-6, kTowerTolerance = 1e-4, kLogitTolerance = 1e-3;

// The tolerance of a tensor. In f32 it is `in_f32`; in bf16 and int8 a share of the golden tensor's largest
// magnitude (measured: 0.09 and 0.28). One matmul is off by 0.3 % and 1.3 %, but random weights multiply what
// a layer is off by, where trained ones do not.
inline double tolerance_of(Precision precision, double in_f32, std::span<const float> golden) {
  constexpr double kBf16Share = 0.12, kInt8Share = 0.35;
  if (precision == Precision::kF32) return in_f32;
  float largest = 0;
  for (const float value : golden) largest = std::max(largest, std::abs(value));
  return (precision == Precision::kBf16 ? kBf16Share : kInt8Share) * largest;
}

// Random models choose tokens by margins smaller than rounding, so chosen tokens are compared in f32 alone.
// Logits are compared in all precisions, after the golden tokens.
inline constexpr char kTokensSkipped[] = "tokens chosen are compared in f32 alone";

}  // namespace palisade
