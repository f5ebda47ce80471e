#include "model/weight_rows.h"

#include "model/parallel.h"

namespace palisade {

void WeightRows::for_each(const std::function<void(int row, std::span<const float> values)>& use) const {
  constexpr int kTaskRows = 64;       // whole tiles, so that no two threads write to one
  constexpr int kValues = 32 * 1024;  // that are still near when they are used
  const int rows_at_once = std::clamp(kValues / std::max(cols, 1), 1, kTaskRows);
  const int tasks = (rows + kTaskRows - 1) / kTaskRows;
  parallel_for(tasks, 10.0 * rows * cols, [&](int task) {
    const int end = std::min(rows, (task + 1) * kTaskRows);
    Matrix some(rows_at_once, cols);
    for (int first = task * kTaskRows; first < end; first += rows_at_once) {
      const MatrixView now = some.view().row_range(0, std::min(rows_at_once, end - first));
      read(first, now);
      for (int row = 0; row < now.rows; ++row) use(first + row, now.row(row));
    }
  });
}

}  // namespace palisade
