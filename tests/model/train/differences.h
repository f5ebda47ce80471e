#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "model/tensor/matrix.h"

namespace palisade {

inline Matrix random_matrix(int rows, int cols, std::mt19937& random, float deviation = 1) {
  Matrix matrix(rows, cols);
  std::normal_distribution<float> normal(0, deviation);
  for (std::size_t i = 0; i < matrix.size(); ++i) matrix.data()[i] = normal(random);
  return matrix;
}

inline Matrix zeros(int rows, int cols) {
  Matrix matrix(rows, cols);
  std::fill_n(matrix.data(), matrix.size(), 0.0f);
  return matrix;
}

inline Matrix copy_of(ConstMatrixView x) {
  Matrix copy(x.rows, x.cols);
  for (int row = 0; row < x.rows; ++row)
    std::copy(x.row(row).begin(), x.row(row).end(), copy.row(row).begin());
  return copy;
}

// sum y * weights: a scalar whose gradient by y is `weights`.
inline double weighted(ConstMatrixView y, ConstMatrixView weights) {
  double sum = 0;
  for (int row = 0; row < y.rows; ++row) {
    for (int col = 0; col < y.cols; ++col)
      sum += double(y.row(row)[std::size_t(col)]) * weights.row(row)[std::size_t(col)];
  }
  return sum;
}

// Compares `gradient` with central differences of `loss` by the elements of x, at most 60 of them. f32
// forwards leave about 1e-3 of the largest.
inline void check_gradient(const std::string& name, MatrixView x, ConstMatrixView gradient,
                           const std::function<double()>& loss, double step = 1e-2) {
  REQUIRE(x.rows == gradient.rows);
  REQUIRE(x.cols == gradient.cols);
  const int count = x.rows * x.cols, stride = std::max(1, count / 60);
  double largest = 1e-3;
  for (int row = 0; row < gradient.rows; ++row) {
    for (const float value : gradient.row(row)) largest = std::max(largest, std::abs(double(value)));
  }
  for (int i = 0; i < count; i += stride) {
    float& element = x.row(i / x.cols)[std::size_t(i % x.cols)];
    const float kept = element;
    element = float(kept + step);
    const double above = loss(), up = element;
    element = float(kept - step);
    const double below = loss(), down = element;
    element = kept;
    const double numeric = (above - below) / (up - down);
    const double analytic = gradient.row(i / x.cols)[std::size_t(i % x.cols)];
    CAPTURE(name);
    CAPTURE(i);
    CHECK(std::abs(numeric - analytic) <= 4e-3 * largest + 1e-4);
  }
}

}  // namespace palisade
