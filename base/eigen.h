#pragma once

// The door to Eigen, for .cc files: it takes long to compile.
#define EIGEN_DONT_PARALLELIZE
#define EIGEN_FAST_MATH 0  // its square roots are not rounded correctly
#include <Eigen/Core>
#include <span>
#include <type_traits>

namespace palisade {

// Row after row, as pictures and tensors are stored.
template <typename T>
using RowArray = Eigen::Array<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Views of memory as an array: [rows, cols], [size].
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
