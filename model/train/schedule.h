#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

namespace palisade {

// The learning rate's course: linear warm-up, then a cosine to 0 (big_vision, utils.py:
// create_learning_rate_schedule). Steps count from 0, so the first update is nothing.
struct Schedule {
  int total_steps = 1;
  int warmup_steps = 1;

  // What is left of the learning rate.
  double factor(int step) const {
    const double progress = double(step - warmup_steps) / std::max(1, total_steps - warmup_steps);
    const double cosine = 0.5 * (1 + std::cos(std::numbers::pi * std::clamp(progress, 0.0, 1.0)));
    return cosine * std::min(1.0, double(step) / warmup_steps);
  }
};

// `share` of all steps, at least one.
inline int warmup_steps_of(double share, int total_steps) {
  return std::max(1, int(std::lround(share * total_steps)));
}

}  // namespace palisade
