#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "model/kernels/row_formats.h"
#include "model/tensor/matrix.h"

namespace palisade {

// Matmuls of integers on a CPU with AVX2 or AVX-512 (Highway, like kernels.h), by weights in int8 and of
// activations in int16. oneDNN 2.6 leaves room there: it asks for weights when it needs them, where memory
// could bring the next ones meanwhile, knows neither scales of rows nor sums that are still near, has no 16
// bits, and saturates where there is no VNNI.

// Whether this CPU has the instructions.
bool has_integer_tiles();
// And those of VNNI, which take a third of the steps.
bool integer_tiles_have_vnni();

// W [outputs, depth], packed: tile after tile of some rows, in each of them four values of every row, then
// the next four, and behind them what makes sums f32, so that it comes with them. `depth` is a multiple of
// kRotatedBlock.
std::size_t packed_tiles_size(int outputs, int depth);
// A row of W, which makes a column of y.
struct TileColumn {
  std::span<const std::int8_t> weights;
  float scale;
  float bias;
};
// Column `output` to its place in `packed`, whose last tile was zeros. Several threads may pack different
// ones.
void pack_tile_column(const TileColumn& column, int output, std::span<std::byte> packed);

// Rows of x as the matmuls read them, with their quantisation scales: [count] of tile_row_size(depth) bytes
// in all, not one after the other.
struct TileRows {
  std::span<const std::byte> values;
  std::span<const float> scales;
  int depth = 0;
};
std::size_t tile_row_size(int depth);
// Row `at` of `count`, shifted by kShift, to its places in `all`. Several threads may place different rows.
void place_tile_row(std::span<const std::uint8_t> row, int at, int count, std::span<std::byte> all);

int tiles_of(int outputs);
// y = x W^T + bias, of the columns in tiles [first, last) alone, in the calling thread.
void multiply_tiles(const TileRows& x, std::span<const std::byte> packed, int first, int last, MatrixView y);

// Rows of int16, [rows, depth], with the quantisation scale of each; `depth` is a multiple of 8.
struct WordRows {
  const std::int16_t* values;
  const float* scales;
  int rows;
  int depth;
  std::ptrdiff_t stride;
};
// Columns packed as [depth / 2, count, 2], with the quantisation scale of each; `count` is a multiple of 16.
struct WordColumns {
  const std::int16_t* packed;
  const float* scales;
  int count;
};
inline constexpr int kMaxWordColumns = 80;
// y = x times the first y.cols of the columns, in the calling thread. The sums must fit 32 bits.
void multiply_words(const WordRows& x, const WordColumns& columns, MatrixView y);

}  // namespace palisade
