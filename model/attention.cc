#include "model/attention.h"

#include <algorithm>
#include <utility>

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

void attend(const AttentionShape& shape, ConstMatrixView q, std::span<const KeysAndValues> parts,
            const Visibility& visibility, MatrixView out) {
  int all_positions = 0;
  for (const KeysAndValues& part : parts) all_positions += part.keys.rows;
  const int dim = shape.head_dim;
  // With one key/value head, all heads of a position are consecutive rows of one taller matrix.
  const bool shared = shape.kv_heads == 1 && q.contiguous() && out.contiguous();
  const int heads_in_row = shared ? shape.heads : 1;
  const int rows = q.rows * heads_in_row;
  const int blocks = (rows + kBlockRows - 1) / kBlockRows;
  const int separate_heads = shared ? 1 : shape.heads;
  const double work = 4.0 * q.rows * shape.heads * dim * all_positions;
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
    const int positions = std::min(all_positions, visibility.end(last_position));
    Matrix scores(count, positions);
    // What this block sees of each part: its keys, its values, and its columns of the scores.
    const auto for_each_part = [&](const auto& use) {
      for (int part = 0, at = 0; part < int(parts.size()) && at < positions; at += parts[part++].keys.rows) {
        const int seen = std::min(parts[part].keys.rows, positions - at);
        use(parts[part].keys.block(0, seen, kv_head * dim, dim),
            parts[part].values.block(0, seen, kv_head * dim, dim), scores.view().block(0, count, at, seen));
      }
    };
    for_each_part([&](ConstMatrixView keys, ConstMatrixView, MatrixView columns) {
      multiply(tall_q.row_range(first, count), keys, true, shape.scale, 0, columns);
    });
    for (int row = 0; row < count; ++row) {
      const int position = (first + row) / heads_in_row;
      normalise(scores.row(row), visibility.begin(position), std::min(positions, visibility.end(position)),
                shape);
    }
    float keep = 0;
    for_each_part([&](ConstMatrixView, ConstMatrixView values, MatrixView columns) {
      multiply(columns, values, false, 1, std::exchange(keep, 1.0f), tall_out.row_range(first, count));
    });
  });
}

}  // namespace palisade
