#pragma once

#include <cstdint>

#include "model/tensor/matrix.h"

namespace palisade {

// Which elements of what attention and MLP give are dropped before they are added to the residual stream
// (flax's nn.Dropout in big_vision/models/ppp/gemma.py: kept ones are divided by 1 - rate). Whether one is
// dropped follows from `seed`, the place and the element alone, so the backward need not be told.
struct Dropout {
  float rate = 0;
  std::uint64_t seed = 0;  // of this batch

  // In place; the backward of it is the same. `place`: which of the model's dropouts.
  void apply(MatrixView x, int place) const;
};

}  // namespace palisade
