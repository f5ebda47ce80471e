#pragma once

#include "model/weights/random_checkpoint.h"

namespace palisade {

// The weights that a model is trained from where there is no checkpoint: matmuls keep the size of what goes
// in (LeCun), norms pass on what they norm, and biases are 0. The same for the same seed.
class InitialWeights : public RandomCheckpoint {
 public:
  using RandomCheckpoint::RandomCheckpoint;

 protected:
  void fill(const std::string& name, std::span<const std::int64_t> shape, std::size_t first,
            std::span<float> target) const override;
};

}  // namespace palisade
