#pragma once

#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <utility>

#include "model/tensor/matrix.h"

namespace palisade {

class PackedCache;
struct MatmulInputs;

// A weight matrix that is read some rows at a time while it is packed, so that a large one never exists in
// f32 as a whole.
struct WeightRows {
  int rows = 0;
  int cols = 0;
  // Rows [first, first + out.rows) as f32. Called by several threads.
  std::function<void(int first, MatrixView out)> read;
  // Where they are kept once they are packed, and under which name; nullptr: nowhere.
  PackedCache* cache = nullptr;
  std::string name;
  // Where the matmul records what goes into it (see calibration.h); nullptr: nowhere.
  MatmulInputs* inputs = nullptr;

  WeightRows(int rows_, int cols_, std::function<void(int, MatrixView)> read_)
      : rows(rows_), cols(cols_), read(std::move(read_)) {}
  // Of a matrix that is there already, and stays while this is used.
  WeightRows(ConstMatrixView whole)
      : WeightRows(whole.rows, whole.cols, [whole](int first, MatrixView out) {
          for (int row = 0; row < out.rows; ++row)
            std::ranges::copy(whole.row(first + row), out.row(row).begin());
        }) {}
  WeightRows(const Matrix& whole) : WeightRows(whole.view()) {}

  // Some of its values as a matrix of their own, kept by itself; what goes into it is not recorded.
  WeightRows part(int its_rows, int its_cols, const std::string& where,
                  std::function<void(int first, MatrixView out)> its_read) const;
  // use(row, values) of all rows, in any order, several at a time.
  void for_each(const std::function<void(int row, std::span<const float> values)>& use) const;
};

// Rows, or columns, [first, first + count) as a matrix of their own.
WeightRows some_rows(const WeightRows& all, int first, int count);
WeightRows some_columns(const WeightRows& all, int first, int count);

}  // namespace palisade
