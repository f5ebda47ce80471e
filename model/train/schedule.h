#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

namespace palisade {

// The learning rate's course: linear warm-up, then a cosine to 0, or with a timescale 1 / sqrt(1 + t), which
// knows no end, so that another stage can go on with it (big_vision, utils.py: create_learning_rate_schedule,
// "cosine" and "rsqrt"). Steps count from 0, so the first update is nothing.
struct Schedule {
  int total_steps = 1;
  int warmup_steps = 1;
  double timescale = 0;  // steps after which the rate falls; 0: the cosine
  double shift = 0;      // steps that stages before have done

  // What is left of the learning rate.
  double factor(int step) const {
    return (timescale > 0 ? inverse_root(step) : cosine(step)) * std::min(1.0, double(step) / warmup_steps);
  }

 private:
  double cosine(int step) const {
    const double progress = double(step - warmup_steps) / std::max(1, total_steps - warmup_steps);
    return 0.5 * (1 + std::cos(std::numbers::pi * std::clamp(progress, 0.0, 1.0)));
  }
  double inverse_root(int step) const {
    return 1 / std::sqrt(1 + (std::max(0, step - warmup_steps) + shift) / timescale);
  }
};

// `share` of all steps, at least one.
inline int warmup_steps_of(double share, int total_steps) {
  return std::max(1, int(std::lround(share * total_steps)));
}

}  // namespace palisade
