#include "model/attention.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <mutex>
#include <vector>

#include "model/kernels.h"
#include "model/matmul.h"
#include "model/parallel.h"
#include "model/row_formats.h"
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

// A kv head's keys and values, packed for the products of all blocks by the first that needs them.
struct PackedHead {
  std::once_flag done;
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

// Of the thread at work.
std::span<std::uint16_t> halves_of_thread(std::size_t size) {
  thread_local std::vector<std::uint16_t> halves;
  if (halves.size() < size) halves.resize(size);
  return {halves.data(), size};
}

// attend() with bf16 products: f32 softmax between them, whose sums divide after the second.
void attend_in_halves(const AttentionShape& shape, ConstMatrixView q, std::span<const KeysAndValues> parts,
                      const Visibility& visibility, MatrixView out) {
  const int dim = shape.head_dim;
  const TallRows tall(shape, q, out);
  const int positions = std::min(positions_of(parts), visibility.end(q.rows - 1));
  const int blocks = (tall.rows + kBlockRows - 1) / kBlockRows;
  const int last_rows = tall.rows - (blocks - 1) * kBlockRows;
  const std::ptrdiff_t stride = tall.of_head(out, 0, dim).stride;
  // Of whole blocks, and of the last one.
  const TileProduct to_scores[] = {{kBlockRows, dim, positions, positions},
                                   {last_rows, dim, positions, positions}};
  const TileProduct to_out[] = {{kBlockRows, positions, dim, stride}, {last_rows, positions, dim, stride}};

  std::vector<PackedHead> packed(shape.kv_heads);
  const auto pack = [&](int head) {
    std::vector<ConstMatrixView> keys, values;
    for_each_part(parts, positions, [&](std::size_t part, int, int count) {
      keys.push_back(parts[part].keys.block(0, count, head * dim, dim));
      values.push_back(parts[part].values.block(0, count, head * dim, dim));
    });
    packed[head].keys = to_scores[0].pack(keys, true);
    packed[head].values = to_out[0].pack(values, false);
  };
  const double work = 4.0 * tall.rows * tall.separate_heads * dim * positions;
  parallel_for(tall.separate_heads * blocks, work, [&](int task) {
    // One head after another, so that none waits for what another packs.
    const int head = task % tall.separate_heads, block = task / tall.separate_heads,
              first = block * kBlockRows;
    const int kv_head = head / (shape.heads / shape.kv_heads);
    PackedHead& its = packed[kv_head];
    std::call_once(its.done, pack, kv_head);
    const bool last = block == blocks - 1;
    const int count = last ? last_rows : kBlockRows;
    const auto halves = halves_of_thread(std::size_t(count) * std::max(dim, positions));
    const auto half_row = [&](int row, int cols) { return halves.subspan(std::size_t(row) * cols, cols); };
    const ConstMatrixView queries = tall.of_head(q, head, dim).row_range(first, count);
    const MatrixView target = tall.of_head(out, head, dim).row_range(first, count);
    Matrix scores(count, positions);
    std::array<float, kBlockRows> shares;
    for (int row = 0; row < count; ++row) to_bf16(queries.row(row), half_row(row, dim));
    to_scores[last].multiply(halves.data(), its.keys.get(), scores);
    for (int row = 0; row < count; ++row) {
      const int position = (first + row) / tall.heads_in_row;
      const int begin = visibility.begin(position), end = std::min(positions, visibility.end(position));
      const auto seen = scores.row(row).subspan(begin, end - begin);
      const auto to = half_row(row, positions);
      if (shape.softcap) {
        scale(seen, shape.scale);
        softcap(seen, *shape.softcap);
      }
      shares[row] = 1 / exponentials(seen, shape.softcap ? 1 : shape.scale, to.subspan(begin, end - begin));
      std::fill(to.begin(), to.begin() + begin, 0);
      std::fill(to.begin() + end, to.end(), 0);
    }
    to_out[last].multiply(halves.data(), its.values.get(), target);
    for (int row = 0; row < count; ++row) scale(target.row(row), shares[row]);
  });
}

}  // namespace

void attend(const AttentionShape& shape, ConstMatrixView q, std::span<const KeysAndValues> parts,
            const Visibility& visibility, MatrixView out) {
  const TallRows tall(shape, q, out);
  if (shape.halves && tall.rows >= kBlockRows) return attend_in_halves(shape, q, parts, visibility, out);
  const int all_positions = positions_of(parts);
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
    for_each_part(parts, positions, [&](std::size_t part, int at, int seen) {
      multiply(tall_q.row_range(first, count), parts[part].keys.block(0, seen, kv_head * dim, dim), true,
               shape.scale, 0, scores.view().block(0, count, at, seen));
    });
    for (int row = 0; row < count; ++row) {
      const int position = (first + row) / tall.heads_in_row;
      normalise(scores.row(row), visibility.begin(position), std::min(positions, visibility.end(position)),
                shape);
    }
    for_each_part(parts, positions, [&](std::size_t part, int at, int seen) {
      multiply(scores.view().block(0, count, at, seen), parts[part].values.block(0, seen, kv_head * dim, dim),
               false, 1, at > 0 ? 1.0f : 0.0f, tall_out.row_range(first, count));
    });
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
