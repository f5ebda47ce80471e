#include "model/matmul/attention.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <mutex>
#include <optional>
#include <vector>

#include "model/kernels/attention_tiles.h"
#include "model/kernels/integer_tiles.h"
#include "model/kernels/kernels.h"
#include "model/matmul/matmul.h"
#include "model/tensor/parallel.h"

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

// Rows that a matmul of activations is filled up to: oneDNN adds up fewer than sixteen in another order with
// AVX-512, and those beyond a multiple of six with AVX2 where they are three or fewer; who shares a block is
// the moment's, and answers must not depend on it. A decoding step has the same rows each time.
int filled_rows(int count, bool decodes) {
  constexpr int kMinScoreRows = 16;
  if (decodes) return count;
  const int rows = std::max(count, kMinScoreRows), beyond = rows % 6;
  return beyond == 0 || beyond > 3 ? rows : rows + 4 - beyond;
}

// A kv head's keys and values, packed for the matmuls of all blocks by the first that needs them.
struct PackedHead {
  std::once_flag done;
  std::optional<PackedKeysAndValues> keys_and_values;
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

int positions_of(std::span<const KeysAndValues> parts) {
  int positions = 0;
  for (const KeysAndValues& part : parts) positions += part.keys.rows;
  return positions;
}

// use(part, the first of its positions, how many of it) for those that lie below `positions`.
template <typename Use>
void for_each_part(std::span<const KeysAndValues> parts, int positions, const Use& use) {
  int at = 0;
  for (std::size_t part = 0; part < parts.size() && at < positions; at += parts[part++].keys.rows)
    use(part, at, std::min(parts[part].keys.rows, positions - at));
}

// attend() by attention_tiles.
void attend_rounded(const AttentionShape& shape, ConstMatrixView q, std::span<const KeysAndValues> parts,
                    const Visibility& visibility, MatrixView out) {
  const int dim = shape.head_dim;
  const TallRows tall(shape, q, out);
  const int positions = std::min(positions_of(parts), visibility.end(q.rows - 1));
  const int blocks = (tall.rows + kBlockRows - 1) / kBlockRows;
  std::vector<PackedHead> packed(shape.kv_heads);
  const auto pack = [&](int head) {
    std::vector<ConstMatrixView> keys, values;
    for_each_part(parts, positions, [&](std::size_t part, int, int count) {
      keys.push_back(parts[part].keys.block(0, count, head * dim, dim));
      values.push_back(parts[part].values.block(0, count, head * dim, dim));
    });
    packed[head].keys_and_values.emplace(keys, values);
  };
  const int heads = tall.separate_heads;
  const bool alone = in_task();  // then a head's blocks come while its keys are near
  parallel_for(heads * blocks, 4.0 * tall.rows * heads * dim * positions, [&](int task) {
    // In the thread pool one head after another, so that none waits for what another packs.
    const int head = alone ? task / blocks : task % heads;
    const int first = (alone ? task % blocks : task / heads) * kBlockRows;
    const int kv_head = head / (shape.heads / shape.kv_heads);
    PackedHead& its = packed[kv_head];
    std::call_once(its.done, pack, kv_head);
    const int count = std::min(kBlockRows, tall.rows - first);
    std::array<PositionRange, kBlockRows> seen;
    for (int row = 0; row < count; ++row) {
      const int position = (first + row) / tall.heads_in_row;
      seen[row] = {visibility.begin(position), std::min(positions, visibility.end(position))};
    }
    attend_tiles({.q = tall.of_head(q, head, dim).row_range(first, count),
                  .seen = std::span(seen).first(count),
                  .scale = shape.scale,
                  .softcap = shape.softcap},
                 *its.keys_and_values, tall.of_head(out, head, dim).row_range(first, count));
  });
}

}  // namespace

void attend(const AttentionShape& shape, ConstMatrixView q, std::span<const KeysAndValues> parts,
            const Visibility& visibility, MatrixView out) {
  const int dim = shape.head_dim;
  const TallRows tall(shape, q, out);
  if (shape.rounded && dim <= kMaxTiledDim && has_integer_tiles())
    return attend_rounded(shape, q, parts, visibility, out);
  const int all_positions = positions_of(parts);
  const int blocks = (tall.rows + kBlockRows - 1) / kBlockRows;
  const double work = 4.0 * q.rows * shape.heads * dim * all_positions;
  parallel_for(tall.separate_heads * blocks, work, [&](int task) {
    const int head = task / blocks;
    const int kv_head = head / (shape.heads / shape.kv_heads);
    const int first = task % blocks * kBlockRows;
    const int count = std::min(kBlockRows, tall.rows - first);
    const ConstMatrixView its_q = tall.of_head(q, head, dim).row_range(first, count);
    const MatrixView its_out = tall.of_head(out, head, dim).row_range(first, count);
    const int last_position = (first + count - 1) / tall.heads_in_row;
    const int positions = std::min(all_positions, visibility.end(last_position));
    const auto attend_rows = [&](ConstMatrixView rows, MatrixView sums) {
      Matrix scores(rows.rows, positions);
      for_each_part(parts, positions, [&](std::size_t part, int at, int seen) {
        multiply(rows, parts[part].keys.block(0, seen, kv_head * dim, dim), true, shape.scale, 0,
                 scores.view().block(0, rows.rows, at, seen));
      });
      for (int row = 0; row < count; ++row) {
        const int position = (first + row) / tall.heads_in_row;
        normalise(scores.row(row), visibility.begin(position), std::min(positions, visibility.end(position)),
                  shape);
      }
      for_each_part(parts, positions, [&](std::size_t part, int at, int seen) {
        multiply(scores.view().block(0, rows.rows, at, seen),
                 parts[part].values.block(0, seen, kv_head * dim, dim), false, 1, at > 0 ? 1.0f : 0.0f, sums);
      });
    };
    const int filled = filled_rows(count, q.rows == 1 && visibility.prefix == 0);
    if (filled == count) return attend_rows(its_q, its_out);
    Matrix filled_q(filled, dim), filled_out(filled, dim);
    copy(its_q, filled_q.view().row_range(0, count));
    std::fill(filled_q.row(count).data(), filled_q.data() + filled_q.size(), 0.0f);
    attend_rows(filled_q, filled_out);
    copy(filled_out.view().row_range(0, count), its_out);
  });
}

void attend_backward(const AttentionShape& shape, ConstMatrixView q, std::span<const KeysAndValues> parts,
                     const Visibility& visibility, ConstMatrixView dout,
                     const AttentionGradients& gradients) {
  const int dim = shape.head_dim, all_positions = positions_of(parts);
  const int group = shape.heads / shape.kv_heads;
  assert(gradients.q.contiguous() == q.contiguous() && gradients.parts.size() == parts.size());
  const TallRows tall(shape, q, dout);
  const int rows = tall.rows;
  const double work = 10.0 * q.rows * shape.heads * dim * all_positions;
  parallel_for(shape.kv_heads, work, [&](int kv_head) {
    Matrix scores(kBlockRows, all_positions), dscores(kBlockRows, all_positions), capped;
    if (shape.softcap) capped = Matrix(kBlockRows, all_positions);
    for (int head = kv_head * group; head < (tall.shared ? kv_head + 1 : (kv_head + 1) * group); ++head) {
      for (int first = 0; first < rows; first += kBlockRows) {
        const int count = std::min(kBlockRows, rows - first);
        const int last_position = (first + count - 1) / tall.heads_in_row;
        const int positions = std::min(all_positions, visibility.end(last_position));
        const MatrixView p = scores.view().block(0, count, 0, positions);
        const MatrixView dp = dscores.view().block(0, count, 0, positions);
        const ConstMatrixView q_block = tall.of_head(q, head, dim).row_range(first, count);
        const ConstMatrixView dout_block = tall.of_head(dout, head, dim).row_range(first, count);
        for_each_part(parts, positions, [&](std::size_t part, int at, int seen) {
          multiply(q_block, parts[part].keys.block(0, seen, kv_head * dim, dim), true, shape.scale, 0,
                   p.block(0, count, at, seen));
          multiply(dout_block, parts[part].values.block(0, seen, kv_head * dim, dim), true, 1, 0,
                   dp.block(0, count, at, seen));
        });
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
        const MatrixView dq_block = tall.of_head(gradients.q, head, dim).row_range(first, count);
        for_each_part(parts, positions, [&](std::size_t part, int at, int seen) {
          const KeyValueGradients& target = gradients.parts[part];
          multiply_transposed(p.block(0, count, at, seen), dout_block, 1, 1,
                              target.values.block(0, seen, kv_head * dim, dim));
          multiply_transposed(dp.block(0, count, at, seen), q_block, shape.scale, 1,
                              target.keys.block(0, seen, kv_head * dim, dim));
        });
        // Last: q may be its gradient.
        for_each_part(parts, positions, [&](std::size_t part, int at, int seen) {
          multiply(dp.block(0, count, at, seen), parts[part].keys.block(0, seen, kv_head * dim, dim), false,
                   shape.scale, at > 0 ? 1.0f : 0.0f, dq_block);
        });
      }
    }
  });
}

}  // namespace palisade
