#include "model/weights/weight_rows.h"

#include "base/format.h"
#include "model/tensor/parallel.h"

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

WeightRows WeightRows::part(int its_rows, int its_cols, const std::string& where,
                            std::function<void(int first, MatrixView out)> its_read) const {
  WeightRows some(its_rows, its_cols, std::move(its_read));
  some.cache = cache;
  some.name = name + " from " + where;
  return some;
}

WeightRows some_rows(const WeightRows& all, int first, int count) {
  if (count == all.rows) return all;
  WeightRows some = all.part(count, all.cols, std::to_string(first),
                             [=, read = all.read](int at, MatrixView out) { read(first + at, out); });
  if (first == 0) some.inputs = all.inputs;  // the same for all
  return some;
}

// What goes into some columns is not recorded: calibration asks for no matrix that is cut so.
WeightRows some_columns(const WeightRows& all, int first, int count) {
  if (count == all.cols) return all;
  return all.part(all.rows, count, format("column {}", first),
                  [=, read = all.read, cols = all.cols](int at, MatrixView out) {
                    Matrix whole(out.rows, cols);
                    read(at, whole);
                    copy(whole.view().block(0, out.rows, first, count), out);
                  });
}

}  // namespace palisade
