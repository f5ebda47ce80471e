#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <span>

#include "model/tensor/memory.h"

namespace palisade {

// A view of f32 rows that need not be contiguous: row r starts at data + r * stride.
template <typename T>
struct BasicMatrixView {
  T* data = nullptr;
  int rows = 0;
  int cols = 0;
  std::ptrdiff_t stride = 0;

  BasicMatrixView() = default;
  BasicMatrixView(T* data_, int rows_, int cols_) : BasicMatrixView(data_, rows_, cols_, cols_) {}
  BasicMatrixView(T* data_, int rows_, int cols_, std::ptrdiff_t stride_)
      : data(data_), rows(rows_), cols(cols_), stride(stride_) {}
  operator BasicMatrixView<const T>() const { return {data, rows, cols, stride}; }

  std::span<T> row(int r) const {
    assert(r >= 0 && r < rows);
    return {data + r * stride, std::size_t(cols)};
  }
  BasicMatrixView block(int first_row, int row_count, int first_col, int col_count) const {
    assert(first_row >= 0 && first_row + row_count <= rows && first_col >= 0 &&
           first_col + col_count <= cols);
    return {data + first_row * stride + first_col, row_count, col_count, stride};
  }
  BasicMatrixView row_range(int first, int count) const { return block(first, count, 0, cols); }
  bool contiguous() const { return stride == cols || rows <= 1; }
};
using MatrixView = BasicMatrixView<float>;
using ConstMatrixView = BasicMatrixView<const float>;

// Rows of `to` become those of `from`.
inline void copy(ConstMatrixView from, MatrixView to) {
  assert(from.rows == to.rows && from.cols == to.cols);
  for (int row = 0; row < from.rows; ++row) std::ranges::copy(from.row(row), to.row(row).begin());
}

// Owns contiguous f32 rows, 64-byte aligned, not initialised.
class Matrix {
 public:
  Matrix() = default;
  Matrix(int rows, int cols)
      : rows_(rows), cols_(cols), memory_(take_memory(sizeof(float) * std::size_t(rows) * cols)) {}

  int rows() const { return rows_; }
  int cols() const { return cols_; }
  std::size_t size() const { return std::size_t(rows_) * cols_; }
  float* data() { return reinterpret_cast<float*>(memory_.get()); }
  const float* data() const { return reinterpret_cast<const float*>(memory_.get()); }
  std::span<float> row(int r) { return MatrixView(*this).row(r); }
  std::span<const float> row(int r) const { return ConstMatrixView(*this).row(r); }
  operator MatrixView() { return {data(), rows_, cols_}; }
  operator ConstMatrixView() const { return {data(), rows_, cols_}; }
  MatrixView view() { return *this; }
  ConstMatrixView view() const { return *this; }

 private:
  int rows_ = 0;
  int cols_ = 0;
  Block<std::byte> memory_;
};

}  // namespace palisade
