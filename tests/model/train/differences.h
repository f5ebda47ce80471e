#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "model/tensor/matrix.h"
#include "tests/model/reference.h"

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

// sum y * weights, a scalar whose gradient with respect to y is `weights`.
inline double weighted(const reference::Rows& y, ConstMatrixView weights) {
  return y.cwiseProduct(reference::rows_of(weights)).sum();
}

// Compares `gradient` with central differences of `loss`, an f64 reference of the forward pass, for at most
// 60 elements of x.
inline void check_gradient(const std::string& name, MatrixView x, ConstMatrixView gradient,
                           const std::function<double()>& loss) {
  REQUIRE(x.rows == gradient.rows);
  REQUIRE(x.cols == gradient.cols);
  constexpr float kStep = 1e-3f;
  const int count = x.rows * x.cols, stride = std::max(1, count / 60);
  const double largest = array_of(gradient).abs().maxCoeff();
  for (int i = 0; i < count; i += stride) {
    float& element = x.row(i / x.cols)[std::size_t(i % x.cols)];
    const float kept = element;
    element = kept + kStep;
    const double above = loss(), up = element;
    element = kept - kStep;
    const double below = loss(), down = element;
    element = kept;
    const double numeric = (above - below) / (up - down);
    const double analytic = gradient.row(i / x.cols)[std::size_t(i % x.cols)];
    CAPTURE(name);
    CAPTURE(i);
    CHECK(std::abs(numeric - analytic) <= 1e-4 * largest + 1e-6);
  }
}

}  // namespace palisade
