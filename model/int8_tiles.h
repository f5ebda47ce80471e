#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "model/matrix.h"
#include "model/row_formats.h"

namespace palisade {

// Products by weights in int8 on a CPU with AVX-512 VNNI (Highway, like kernels.h). oneDNN 2.6 leaves room
// there: it asks for weights when it needs them, where memory could bring the next ones meanwhile, and knows
// neither steps of rows nor sums that are still in registers.

// Whether this CPU has the instructions.
bool has_int8_tiles();

// W [outputs, depth], packed: tile after tile of 64 rows, in each of them four values of every row, then the
// next four. `depth` is a multiple of kRotatedBlock.
std::size_t packed_tiles_size(int outputs, int depth);
// Row `output` of W to its place in `packed`, which was zeros.
void pack_tile_row(std::span<const std::int8_t> row, int output, std::span<std::byte> packed);

// Rows of x as the products read them, all of them through some hundred values, then the next: shifted by
// kShift, [count, depth], with their steps.
struct TileRows {
  std::span<const std::uint8_t> values;
  std::span<const float> steps;
  int depth = 0;
};
// Row `row` of `count` to its place in `all`.
void place_tile_row(std::span<const std::uint8_t> row, int at, int count, std::span<std::uint8_t> all);

int tiles_of(int outputs);
// y = x W^T + bias, of the columns in tiles [first, last) alone, in the calling thread.
void multiply_tiles(const TileRows& x, std::span<const std::byte> packed, const ColumnScales& columns,
                    int first, int last, MatrixView y);

}  // namespace palisade
