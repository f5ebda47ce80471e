#include "model/attention.h"

#include <algorithm>
#include <cassert>
#include <utility>
#include <vector>

#include "model/kernels.h"
#include "model/matmul.h"
#include "model/parallel.h"
#include "model/tile_product.h"

namespace palisade {
namespace {

constexpr int kBlockRows = 64;

// Scores to probabilities: keys that a row does not see get 0. `capped`, unless it is empty, gets the capped
// scores that the softmax saw.
void normalise(std::span<float> scores, int begin, int end, const AttentionShape& shape,
               std::span<float> capped = {}) {
  const auto seen = scores.subspan(begin, end - begin);
  if (shape.softcap) softcap(seen, *shape.softcap);
  if (!capped.empty()) std::copy(seen.begin(), seen.end(), capped.begin() + begin);
  softmax(seen);
  std::fill(scores.begin(), scores.begin() + begin, 0.0f);
  std::fill(scores.begin() + end, scores.end(), 0.0f);
}

// What all blocks share: a kv head's keys, times the scale, and values, packed once for their products.
struct PackedHead {
  Block<std::byte> keys;
  Block<std::byte> values;
};

// Rows of all heads in one matrix where they share keys and values, else of one head.
struct TallRows {
  bool shared;  // with one key/value head, all heads of a position are consecutive rows
  int heads_in_row, rows, separate_heads;

  TallRows(const AttentionShape& shape, ConstMatrixView q, ConstMatrixView out)
      : shared(shape.kv_heads == 1 && q.contiguous() && out.contiguous()),
        heads_in_row(shared ? shape.heads : 1),
        rows(q.rows * heads_in_row),
        separate_heads(shared ? 1 : shape.heads) {}
  template <typename T>
  BasicMatrixView<T> of_head(BasicMatrixView<T> all, int head, int dim) const {
    return shared ? BasicMatrixView<T>(all.data, rows, dim) : all.block(0, rows, head * dim, dim);
  }
};

// attend() with bf16 products: f32 softmax between them.
void attend_in_halves(const AttentionShape& shape, ConstMatrixView q, std::span<const KeysAndValues> parts,
                      const Visibility& visibility, MatrixView out) {
  const int dim = shape.head_dim;
  const TallRows tall(shape, q, out);
  int all_positions = 0;
  for (const KeysAndValues& part : parts) all_positions += part.keys.rows;
  const int positions = std::min(all_positions, visibility.end(q.rows - 1));
  const int blocks = (tall.rows + kBlockRows - 1) / kBlockRows;
  const int last_rows = tall.rows - (blocks - 1) * kBlockRows;
  // Of whole blocks, and of the last one.
  const TileProduct to_scores[] = {{kBlockRows, dim, positions, true}, {last_rows, dim, positions, true}};
  const TileProduct to_out[] = {{kBlockRows, positions, dim, true}, {last_rows, positions, dim, true}};

  std::vector<PackedHead> packed(shape.kv_heads);
  parallel_for(2 * shape.kv_heads, 20.0 * positions * dim * shape.kv_heads, [&](int task) {
    const int head = task / 2;
    const bool keys = task % 2 == 0;
    std::vector<ConstMatrixView> seen;
    for (int part = 0, at = 0; part < int(parts.size()) && at < positions; at += parts[part++].keys.rows) {
      const ConstMatrixView all = keys ? parts[part].keys : parts[part].values;
      seen.push_back(all.block(0, std::min(all.rows, positions - at), head * dim, dim));
    }
    (keys ? packed[head].keys : packed[head].values) =
        keys ? to_scores[0].pack(seen, true, shape.scale) : to_out[0].pack(seen, false, 1);
  });
  const double work = 4.0 * tall.rows * tall.separate_heads * dim * positions;
  parallel_for(tall.separate_heads * blocks, work, [&](int task) {
    const int head = task / blocks, block = task % blocks, first = block * kBlockRows;
    const PackedHead& its = packed[head / (shape.heads / shape.kv_heads)];
    const bool last = block == blocks - 1;
    const int count = last ? last_rows : kBlockRows;
    Matrix scores(count, positions), mixed(count, dim);
    to_scores[last].multiply(tall.of_head(q, head, dim).row_range(first, count), its.keys.get(), scores);
    for (int row = 0; row < count; ++row) {
      const int position = (first + row) / tall.heads_in_row;
      normalise(scores.row(row), visibility.begin(position), std::min(positions, visibility.end(position)),
                shape);
    }
    to_out[last].multiply(scores, its.values.get(), mixed);
    const MatrixView target = tall.of_head(out, head, dim).row_range(first, count);
    for (int row = 0; row < count; ++row) std::ranges::copy(mixed.row(row), target.row(row).begin());
  });
}

}  // namespace

void attend(const AttentionShape& shape, ConstMatrixView q, std::span<const KeysAndValues> parts,
            const Visibility& visibility, MatrixView out) {
  const TallRows tall(shape, q, out);
  if (shape.halves && tall.rows >= kBlockRows) return attend_in_halves(shape, q, parts, visibility, out);
  int all_positions = 0;
  for (const KeysAndValues& part : parts) all_positions += part.keys.rows;
  const int dim = shape.head_dim;
  const int blocks = (tall.rows + kBlockRows - 1) / kBlockRows;
  const double work = 4.0 * q.rows * shape.heads * dim * all_positions;
  parallel_for(tall.separate_heads * blocks, work, [&](int task) {
    const int head = task / blocks;
    const int kv_head = head / (shape.heads / shape.kv_heads);
    const int first = task % blocks * kBlockRows;
    const int count = std::min(kBlockRows, tall.rows - first);
    const ConstMatrixView tall_q = tall.of_head(q, head, dim);
    const MatrixView tall_out = tall.of_head(out, head, dim);
    const int last_position = (first + count - 1) / tall.heads_in_row;
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
      const int position = (first + row) / tall.heads_in_row;
      normalise(scores.row(row), visibility.begin(position), std::min(positions, visibility.end(position)),
                shape);
    }
    float keep = 0;
    for_each_part([&](ConstMatrixView, ConstMatrixView values, MatrixView columns) {
      multiply(columns, values, false, 1, std::exchange(keep, 1.0f), tall_out.row_range(first, count));
    });
  });
}

void attend_backward(const AttentionShape& shape, ConstMatrixView q, const KeysAndValues& seen,
                     const Visibility& visibility, ConstMatrixView dout,
                     const AttentionGradients& gradients) {
  const int dim = shape.head_dim, all_positions = seen.keys.rows;
  const int group = shape.heads / shape.kv_heads;
  assert(gradients.q.contiguous() == q.contiguous());
  const TallRows tall(shape, q, dout);
  const int rows = tall.rows;
  const double work = 10.0 * q.rows * shape.heads * dim * all_positions;
  parallel_for(shape.kv_heads, work, [&](int kv_head) {
    Matrix scores(kBlockRows, all_positions), dscores(kBlockRows, all_positions), capped;
    if (shape.softcap) capped = Matrix(kBlockRows, all_positions);
    const auto columns = [&](auto view, int positions) {
      return view.block(0, positions, kv_head * dim, dim);
    };
    for (int head = kv_head * group; head < (tall.shared ? kv_head + 1 : (kv_head + 1) * group); ++head) {
      for (int first = 0; first < rows; first += kBlockRows) {
        const int count = std::min(kBlockRows, rows - first);
        const int last_position = (first + count - 1) / tall.heads_in_row;
        const int positions = std::min(all_positions, visibility.end(last_position));
        const MatrixView p = scores.view().block(0, count, 0, positions);
        const MatrixView dp = dscores.view().block(0, count, 0, positions);
        const ConstMatrixView q_block = tall.of_head(q, head, dim).row_range(first, count);
        const ConstMatrixView dout_block = tall.of_head(dout, head, dim).row_range(first, count);
        multiply(q_block, columns(seen.keys, positions), true, shape.scale, 0, p);
        multiply(dout_block, columns(seen.values, positions), true, 1, 0, dp);
        for (int row = 0; row < count; ++row) {
          const int position = (first + row) / tall.heads_in_row;
          const int begin = visibility.begin(position), end = std::min(positions, visibility.end(position));
          const std::size_t from = std::size_t(begin), seen_count = std::size_t(end - begin);
          normalise(p.row(row), begin, end, shape, shape.softcap ? capped.row(row) : std::span<float>());
          const auto dscore = dp.row(row).subspan(from, seen_count);
          softmax_backward(p.row(row).subspan(from, seen_count), dscore);
          if (shape.softcap)
            softcap_backward(capped.row(row).subspan(from, seen_count), *shape.softcap, dscore);
          std::fill(dp.row(row).begin(), dp.row(row).begin() + begin, 0.0f);
          std::fill(dp.row(row).begin() + end, dp.row(row).end(), 0.0f);
        }
        multiply_transposed(p, dout_block, 1, 1, columns(gradients.values, positions));
        multiply_transposed(dp, q_block, shape.scale, 1, columns(gradients.keys, positions));
        multiply(dp, columns(seen.keys, positions), false, shape.scale, 0,
                 tall.of_head(gradients.q, head, dim).row_range(first, count));
      }
    }
  });
}

}  // namespace palisade
