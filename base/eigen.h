#pragma once

// The only file that includes Eigen. For .cc files alone, because it takes long to compile.
#define EIGEN_DONT_PARALLELIZE
#define EIGEN_FAST_MATH 0  // fast math does not round square roots correctly
#include <Eigen/Core>
#include <span>
#include <type_traits>

namespace palisade {

// In row-major order, like pictures and tensors.
template <typename T>
using RowArray = Eigen::Array<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Views of memory as Eigen arrays: [rows, cols], [size].
template <typename T, typename Value = std::remove_const_t<T>>
auto array_of(T* data, int rows, int cols, std::ptrdiff_t stride) {
  using Rows = std::conditional_t<std::is_const_v<T>, const RowArray<Value>, RowArray<Value>>;
  return Eigen::Map<Rows, Eigen::Unaligned, Eigen::OuterStride<>>(data, rows, cols,
                                                                  Eigen::OuterStride<>(stride));
}
template <typename T, typename Value = std::remove_const_t<T>>
auto array_of(std::span<T> values) {
  using Values = Eigen::Array<Value, Eigen::Dynamic, 1>;
  return Eigen::Map<std::conditional_t<std::is_const_v<T>, const Values, Values>>(
      values.data(), Eigen::Index(values.size()));
}

}  // namespace palisade
