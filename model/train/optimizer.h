#pragma once

#include <span>
#include <vector>

#include "model/train/parameters.h"

namespace palisade {

struct OptimizerSettings {
  double learning_rate = 1e-5;
  double weight_decay = 0;  // not times the learning rate
  double clip_norm = 1;
  double b1 = 0.9;
  double b2 = 0.999;
  double epsilon = 1e-8;
};

// schedule(t) of the image encoder, which may warm up more slowly, and of all else.
struct ScheduleFactors {
  double image_encoder = 1;
  double rest = 1;
};

// big_vision/optax.py: make: clip by the global norm of what is trained, Adam, times the learning rate, plus
// decay of `TensorSpec::decayed` tensors, times the schedule. Owns the moments.
class Optimizer {
 public:
  // `parameters` outlive it.
  Optimizer(Parameters& parameters, const OptimizerSettings& settings);

  // One update; the gradients end as 0. Returns their norm before clipping. Where that is not finite nothing
  // is changed.
  double step(const ScheduleFactors& factors);
  int steps() const { return steps_; }

  // The state between steps, laid out as Parameters::gradient_block().
  std::span<float> first_moments() { return first_moments_.all(); }
  std::span<float> second_moments() { return second_moments_.all(); }
  void resume_at(int steps) { steps_ = steps; }

 private:
  // Some elements of one tensor, for one thread.
  struct Piece {
    std::span<float> value;
    std::span<float> gradient;
    std::size_t offset = 0;  // of the gradient, and of the moments
    bool decayed = false;
    bool image_encoder = false;
  };
  double gradient_norm();

  Parameters& parameters_;
  OptimizerSettings settings_;
  int steps_ = 0;
  FloatBlock first_moments_;
  FloatBlock second_moments_;
  std::vector<Piece> pieces_;
  std::vector<double> squares_;  // one a piece
};

}  // namespace palisade
