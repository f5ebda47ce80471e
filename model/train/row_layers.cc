#include "model/train/row_layers.h"

#include <algorithm>

#include "model/kernels/kernels.h"
#include "model/matmul/matmul.h"

namespace palisade {
namespace {

double elements(ConstMatrixView x) {
  return double(x.rows) * x.cols;
}

// Sums over rows as sums of ranges: task(range, first, count, its partial sums [sums, cols], which are 0).
template <typename Task>
void with_partial_sums(ConstMatrixView x, double work, std::initializer_list<MatrixView> targets,
                       Buffer& buffer, const Task& task) {
  const int sums = int(targets.size());
  const MatrixView partial = buffer.shaped(kMaxRowRanges * sums, x.cols);
  fill_rows(partial, 0);
  for_row_ranges(x.rows, work, [&](int range, int first, int count) {
    task(first, count, partial.row_range(range * sums, sums));
  });
  int sum = 0;
  for (const MatrixView& target : targets) {
    for (int range = 0; target.data && range < kMaxRowRanges; ++range)
      add(target.row(0), partial.row(range * sums + sum));
    ++sum;
  }
}

ConstMatrixView one_plus(ConstMatrixView weight, Buffer& buffer) {
  const MatrixView scale = buffer.shaped(1, weight.cols);
  std::transform(weight.data, weight.data + weight.cols, scale.data, [](float w) { return 1.0f + w; });
  return scale;
}

void add_adapter(const Affine& weights, ConstMatrixView x, MatrixView y, RowScratch& scratch) {
  if (!weights.down.data) return;
  const MatrixView low = scratch.low.shaped(x.rows, weights.down.rows);
  multiply(x, weights.down, true, 1, 0, low);
  multiply(low, weights.up, true, 1, 1, y);
}

}  // namespace

void copy_rows(ConstMatrixView from, MatrixView to) {
  for_row_ranges(from.rows, elements(from), [&](int, int first, int count) {
    copy(from.row_range(first, count), to.row_range(first, count));
  });
}

void add_rows(MatrixView x, ConstMatrixView y) {
  for_row_ranges(x.rows, elements(x), [&](int, int first, int count) {
    for (int row = first; row < first + count; ++row) add(x.row(row), y.row(row));
  });
}

void fill_rows(MatrixView x, float value) {
  for_row_ranges(x.rows, elements(x), [&](int, int first, int count) {
    for (int row = first; row < first + count; ++row) std::ranges::fill(x.row(row), value);
  });
}

void add_column_sums(ConstMatrixView x, MatrixView sums) {
  constexpr int kColumns = 64;
  parallel_for((x.cols + kColumns - 1) / kColumns, elements(x), [&](int block) {
    const int first = block * kColumns, count = std::min(kColumns, x.cols - first);
    const auto target = sums.block(0, 1, first, count).row(0);
    for (int row = 0; row < x.rows; ++row)
      add(target, x.row(row).subspan(std::size_t(first), std::size_t(count)));
  });
}

void affine(const Affine& weights, ConstMatrixView x, MatrixView y, RowScratch& scratch) {
  if (weights.bias.data) {
    for_row_ranges(y.rows, elements(y), [&](int, int first, int count) {
      for (int row = first; row < first + count; ++row)
        std::ranges::copy(weights.bias.row(0), y.row(row).begin());
    });
  }
  multiply(x, weights.weight, true, 1, weights.bias.data ? 1.0f : 0.0f, y);
  add_adapter(weights, x, y, scratch);
}

void affine_add(const Affine& weights, ConstMatrixView x, MatrixView y, RowScratch& scratch) {
  if (weights.bias.data) {
    for_row_ranges(y.rows, elements(y), [&](int, int first, int count) {
      for (int row = first; row < first + count; ++row) add(y.row(row), weights.bias.row(0));
    });
  }
  multiply(x, weights.weight, true, 1, 1, y);
  add_adapter(weights, x, y, scratch);
}

bool reads_input(const Affine& gradients) {
  return gradients.weight.data || gradients.down.data;
}

void affine_weight_gradients(const Affine& weights, const Affine& gradients, ConstMatrixView x,
                             ConstMatrixView dy, RowScratch& scratch) {
  if (gradients.weight.data) multiply_transposed(dy, x, 1, 1, gradients.weight);
  if (gradients.bias.data) add_column_sums(dy, gradients.bias);
  if (!gradients.down.data) return;
  const MatrixView low = scratch.low.shaped(x.rows, weights.down.rows);
  multiply(x, weights.down, true, 1, 0, low);
  multiply_transposed(dy, low, 1, 1, gradients.up);
  multiply(dy, weights.up, false, 1, 0, low);
  multiply_transposed(low, x, 1, 1, gradients.down);
}

void affine_input_gradient(const Affine& weights, ConstMatrixView dy, MatrixView dx, RowScratch& scratch) {
  multiply(dy, weights.weight, false, 1, 0, dx);
  if (!weights.down.data) return;
  const MatrixView low = scratch.low.shaped(dy.rows, weights.down.rows);
  multiply(dy, weights.up, false, 1, 0, low);
  multiply(low, weights.down, false, 1, 1, dx);
}

void layer_norm_rows(const LayerNormTensors& weights, float eps, ConstMatrixView x, MatrixView y) {
  for_row_ranges(x.rows, 8 * elements(x), [&](int, int first, int count) {
    for (int row = first; row < first + count; ++row)
      layer_norm(x.row(row), weights.scale.row(0), weights.shift.row(0), eps, y.row(row));
  });
}

void layer_norm_rows_backward(const LayerNormTensors& weights, const LayerNormTensors& gradients, float eps,
                              ConstMatrixView x, ConstMatrixView dy, MatrixView dx, RowScratch& scratch) {
  with_partial_sums(x, 20 * elements(x), {gradients.scale, gradients.shift}, scratch.partial_sums,
                    [&](int first, int count, MatrixView sums) {
                      for (int row = first; row < first + count; ++row)
                        layer_norm_backward(x.row(row), weights.scale.row(0), eps, dy.row(row), dx.row(row),
                                            sums.row(0), sums.row(1));
                    });
}

void rms_norm_rows(ConstMatrixView weight, float eps, ConstMatrixView x, MatrixView y, RowScratch& scratch) {
  const ConstMatrixView scale = one_plus(weight, scratch.one_plus);
  for_row_ranges(x.rows, 8 * elements(x), [&](int, int first, int count) {
    for (int row = first; row < first + count; ++row) rms_norm(x.row(row), scale.row(0), eps, y.row(row));
  });
}

void rms_norm_rows_backward(ConstMatrixView weight, MatrixView gradient, float eps, ConstMatrixView x,
                            ConstMatrixView dy, MatrixView dx, RowScratch& scratch) {
  const ConstMatrixView scale = one_plus(weight, scratch.one_plus);
  with_partial_sums(
      x, 20 * elements(x), {gradient}, scratch.partial_sums, [&](int first, int count, MatrixView sums) {
        for (int row = first; row < first + count; ++row)
          rms_norm_backward(x.row(row), scale.row(0), eps, dy.row(row), dx.row(row), sums.row(0));
      });
}

}  // namespace palisade
