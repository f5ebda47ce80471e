#pragma once

#include <algorithm>

#include "model/tensor/matrix.h"
#include "model/tensor/parallel.h"

namespace palisade {

// Rows that are made anew every step: memory is taken when they outgrow what there is, and kept.
class Buffer {
 public:
  // Not initialised.
  MatrixView shaped(int rows, int cols) {
    if (std::size_t(rows) * std::size_t(cols) > matrix_.size()) matrix_ = Matrix(rows, cols);
    return view_ = MatrixView(matrix_.data(), rows, cols);
  }
  MatrixView view() const { return view_; }
  operator MatrixView() const { return view_; }
  operator ConstMatrixView() const { return view_; }

 private:
  Matrix matrix_;
  MatrixView view_;
};

// task(first, count) for ranges of rows, side by side where `work` (see parallel_for) is worth it. The ranges
// depend on the number of rows alone, so sums over them do not depend on the number of threads.
template <typename Task>
void for_row_ranges(int rows, double work, const Task& task) {
  constexpr int kRanges = 16, kMinRangeRows = 8;
  const int count = std::max(kMinRangeRows, (rows + kRanges - 1) / kRanges);
  parallel_for((rows + count - 1) / count, work, [&](int range) {
    const int first = range * count;
    task(range, first, std::min(count, rows - first));
  });
}
inline constexpr int kMaxRowRanges = 16;

}  // namespace palisade
