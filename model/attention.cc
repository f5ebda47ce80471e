#include "model/attention.h"

#include <algorithm>

#include "model/kernels.h"
#include "model/matmul.h"
#include "model/parallel.h"

namespace palisade {
namespace {

constexpr int kBlockRows = 64;

// Scores to probabilities: keys that a row does not see get 0.
void normalise(std::span<float> scores, int begin, int end, const AttentionShape& shape) {
  const auto seen = scores.subspan(begin, end - begin);
  if (shape.softcap) softcap(seen, *shape.softcap);
  softmax(seen);
  std::fill(scores.begin(), scores.begin() + begin, 0.0f);
  std::fill(scores.begin() + end, scores.end(), 0.0f);
}

}  // namespace

void attend(const AttentionShape& shape, ConstMatrixView q, ConstMatrixView keys, ConstMatrixView values,
            const Visibility& visibility, MatrixView out) {
  const int dim = shape.head_dim;
  // With one key/value head, all heads of a position are consecutive rows of one taller matrix.
  const bool shared = shape.kv_heads == 1 && q.contiguous() && out.contiguous();
  const int heads_in_row = shared ? shape.heads : 1;
  const int rows = q.rows * heads_in_row;
  const int blocks = (rows + kBlockRows - 1) / kBlockRows;
  const int separate_heads = shared ? 1 : shape.heads;
  const double work = 4.0 * q.rows * shape.heads * dim * keys.rows;
  parallel_for(separate_heads * blocks, work, [&](int task) {
    const int head = task / blocks;
    const int kv_head = head / (shape.heads / shape.kv_heads);
    const int first = task % blocks * kBlockRows;
    const int count = std::min(kBlockRows, rows - first);
    const ConstMatrixView tall_q =
        shared ? ConstMatrixView(q.data, rows, dim) : q.block(0, rows, head * dim, dim);
    const MatrixView tall_out =
        shared ? MatrixView(out.data, rows, dim) : out.block(0, rows, head * dim, dim);
    const int last_position = (first + count - 1) / heads_in_row;
    const int positions = std::min(keys.rows, visibility.end(last_position));
    Matrix scores(count, positions);
    multiply(tall_q.row_range(first, count), keys.block(0, positions, kv_head * dim, dim), true, shape.scale,
             scores);
    for (int row = 0; row < count; ++row) {
      const int position = (first + row) / heads_in_row;
      normalise(scores.row(row), visibility.begin(position), std::min(positions, visibility.end(position)),
                shape);
    }
    multiply(scores, values.block(0, positions, kv_head * dim, dim), false, 1.0f,
             tall_out.row_range(first, count));
  });
}

}  // namespace palisade
