#pragma once

#include "base/eigen.h"
#include "model/tensor/matrix.h"

namespace palisade {

// The rows of a view as an Eigen array; array_of(x).matrix() is the same as a matrix.
template <typename T>
auto array_of(BasicMatrixView<T> x) {
  return array_of(x.data, x.rows, x.cols, x.stride);
}

}  // namespace palisade
