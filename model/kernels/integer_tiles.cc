#include "model/kernels/integer_tiles.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstring>
#include <numeric>
#include <type_traits>
#include <utility>

#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/integer_tiles.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway asks.
#include <hwy/highway.h>

#ifndef PALISADE_MODEL_INTEGER_TILES_ONCE
#define PALISADE_MODEL_INTEGER_TILES_ONCE
namespace palisade {
namespace {

constexpr int kQuad = 4;         // values of a row of weights that stand side by side
constexpr int kMaxFewRows = 16;  // rows whose weights are read once, from memory
constexpr int kMaxRows = 128;    // at a time, so that their sums stay near
constexpr int kStep = 16;        // bytes of a row

// Weights that are read next, fetched while others are multiplied.
struct NextWeights {
  const char* at = nullptr;
  const char* end = nullptr;
  int further = 0;  // into the L2 cache what comes so many bytes later too, unless 0
};

// Some rows of x by some columns. One instruction multiplies four bytes of a row by as many of each column.
struct Tile {
  const std::byte* x;
  std::ptrdiff_t x_stride;  // bytes
  int bytes;                // of each row, a multiple of kStep
  const std::byte* packed;  // four bytes of each column, then the next four
  std::ptrdiff_t packed_stride;
  const std::int32_t* start;  // what is added to
  std::ptrdiff_t start_stride;
  std::int32_t* sums = nullptr;
  std::ptrdiff_t stride = 0;
};

// What a tile's sums become, instead of standing in `sums`: y = sum * row_scales * column_scales + bias.
struct ScaledOutput {
  const float* row_scales;
  const float* column_scales;  // of each column, as many as the tile has, like bias
  const float* bias;
  float* y;
  std::ptrdiff_t stride;
  int columns;  // of y, the last vector's perhaps not all
};

enum class Operands { kValues, kWords };

}  // namespace
}  // namespace palisade
#endif

HWY_BEFORE_NAMESPACE();
namespace palisade {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

constexpr int kTileColumns = HWY_TARGET == HWY_AVX2 ? 16 : 64;

// Of a tile's columns, behind its weights; sums start with what the shift of x adds taken off.
struct TileScales {
  std::int32_t starts[kTileColumns];
  float columns[kTileColumns];
  float bias[kTileColumns];
};
constexpr std::size_t tile_size(int depth) {
  return std::size_t(depth) * kTileColumns + sizeof(TileScales);
}
template <typename Byte>
auto& scales_of(Byte* tile, int depth) {
  using Scales = std::conditional_t<std::is_const_v<Byte>, const TileScales, TileScales>;
  return *reinterpret_cast<Scales*>(tile + std::size_t(depth) * kTileColumns);
}

#if HWY_TARGET <= HWY_AVX2 && HWY_ARCH_X86
constexpr bool kHere = true;
constexpr bool kHasVnni = HWY_TARGET == HWY_AVX3_DL;
constexpr int kLanes = HWY_TARGET == HWY_AVX2 ? 8 : 16;
constexpr int kRegisters = HWY_TARGET == HWY_AVX2 ? 16 : 32;
constexpr int kMaxVectors = HWY_TARGET == HWY_AVX2 ? 2 : 5;  // of columns, in a tile
using Floats = hn::FixedTag<float, kLanes>;
using Sums = hn::FixedTag<std::int32_t, kLanes>;
using Words = hn::FixedTag<std::int16_t, 2 * kLanes>;
using Bytes = hn::FixedTag<std::int8_t, 4 * kLanes>;
using SumVector = hn::Vec<Sums>;

#include "model/kernels/tile_kernel-inl.h"

constexpr int kTileRows = most_rows(kTileColumns / kLanes);

bool of_intel() {
  static const bool is = __builtin_cpu_is("intel");
  return is;
}

// Bytes of weights that few rows take at a time, so that memory brings the next ones meanwhile; 0 for many.
// More rows than a tile has do better with half as many as Intel's cores want for fewer.
int weights_for_few(int rows) {
  if (rows > kMaxFewRows) return 0;
  return of_intel() && !(kHasVnni && rows > kTileRows) ? 16 << 10 : 8 << 10;
}

// How much further to fetch for them, who do not take as long as memory does; with many rows it would only
// drive out what they need. Zen 5 has lines enough on their way without, until a third tile of rows keeps it
// busy: a decoding step of one, four or eight sequences takes 7, 12 or 4 % less.
int further_for_few(int rows) {
  return of_intel() || rows > 2 * kTileRows ? weights_for_few(rows) : 0;
}

// Values of each row that are multiplied at a time. Without VNNI matmuls take three times as long, and the
// L2 cache, 48 KB, is near enough. Else they are equal parts of a row, of 24 KB, which stay in the
// L1 cache, or of 36 KB where that is large: there rows up to 1,152 values stay whole, which spares
// their sums the way out of the registers and back.
int chunk_of(int rows, int depth) {
  if (const int few = weights_for_few(rows); few > 0) return few / kTileColumns;
  if (!kHasVnni) return (48 << 10) / kTileColumns;
  static const bool large = ::sysconf(_SC_LEVEL1_DCACHE_SIZE) >= 48 << 10;
  if (large && depth <= 1152) return depth;
  const int most = (large ? 36 << 10 : 24 << 10) / kTileColumns, chunks = (depth + most - 1) / most;
  return ((depth + chunks - 1) / chunks + kStep - 1) / kStep * kStep;
}

#include "model/kernels/tile_rows-inl.h"

// sums [kTileColumns] += what values of a row were parted from, by the columns.
void add_rests(std::span<const Excess> rests, const std::byte* packed, std::int32_t* sums) {
  constexpr int kVectors = kTileColumns / kLanes;
  const Sums d;
  SumVector all[1][kVectors];
#pragma GCC unroll 5
  for (int i = 0; i < kVectors; ++i) all[0][i] = hn::Load(d, sums + kLanes * i);
  for (const Excess& rest : rests) {
    add_four<Operands::kValues, kVectors, 1>(reinterpret_cast<const std::byte*>(&rest.values), 0,
                                             packed + std::ptrdiff_t(rest.four) * kTileColumns * kQuad, all);
  }
#pragma GCC unroll 5
  for (int i = 0; i < kVectors; ++i) hn::Store(all[0][i], d, sums + kLanes * i);
}

void MultiplyTiles(const TileRows& x, const std::byte* packed, int first_tile, int last_tile, MatrixView y) {
  constexpr int kVectors = kTileColumns / kLanes;
  const int chunk = chunk_of(y.rows, x.depth), further = further_for_few(y.rows);
  alignas(64) std::int32_t sums[kMaxRows * kTileColumns];
  const std::byte* const all = x.values.data();
  const auto tile_at = [&](int tile) { return packed + std::size_t(tile) * tile_size(x.depth); };
  const int blocks = (y.rows + kMaxRows - 1) / kMaxRows;
  for (int task = first_tile * blocks; task < last_tile * blocks; ++task) {
    const int tile = task / blocks, block = task % blocks;
    const int begin = int(std::int64_t(y.rows) * block / blocks);
    const int rows = int(std::int64_t(y.rows) * (block + 1) / blocks) - begin;
    const int first = tile * kTileColumns, its_columns = std::min(kTileColumns, y.cols - first);
    const TileScales& scales = scales_of(tile_at(tile), x.depth);
    const ScaledOutput scaled{.row_scales = x.scales.data() + begin,
                              .column_scales = scales.columns,
                              .bias = scales.bias,
                              .y = y.row(begin).data() + first,
                              .stride = y.stride,
                              .columns = its_columns};
    for (int at = 0; at < x.depth; at += chunk) {
      const int depth = std::min(chunk, x.depth - at);
      const bool last = at + depth == x.depth, starts = at == 0 && kHasVnni;
      const std::byte* const weights = tile_at(tile) + std::size_t(at) * kTileColumns;
      const std::byte* const next = last ? tile_at((task + 1) / blocks) : weights + depth * kTileColumns;
      for (int row = 0; row < rows && !kHasVnni; ++row) {
        const RowExcess rests(all, x.depth, y.rows, begin + row);
        const int* const range = rests.starts + at / chunk;
        std::int32_t* const its = sums + row * kTileColumns;
        if (at == 0) std::fill_n(its, kTileColumns, -kShift * *rests.sum);
        add_rests({rests.all + range[0], rests.all + range[1]}, weights, its);
      }
      // With the tile's last weights come its scales.
      const int left = last ? x.depth : x.depth - at - depth, coming = std::min(chunk, left);
      const auto* const ahead = reinterpret_cast<const char*>(next);
      const std::size_t size = coming * kTileColumns + (coming == left ? sizeof(TileScales) : 0);
      add_rows<Operands::kValues, kVectors>({.x = values_of(all, x.depth, chunk, y.rows, at, begin),
                                             .x_stride = depth,
                                             .bytes = depth,
                                             .packed = weights,
                                             .packed_stride = kTileColumns * 4,
                                             .start = starts ? scales.starts : sums,
                                             .start_stride = starts ? 0 : kTileColumns,
                                             .sums = sums,
                                             .stride = kTileColumns},
                                            (its_columns + kLanes - 1) / kLanes, rows,
                                            {ahead, ahead + size, further}, last ? &scaled : nullptr);
    }
  }
}

void MultiplyWords(const WordRows& x, const WordColumns& columns, MatrixView y) {
  alignas(64) static constexpr std::int32_t kStart[kMaxWordColumns] = {};
  alignas(64) static constexpr float kBias[kMaxWordColumns] = {};
  for (int first = 0; first < y.cols; first += kMaxVectors * kLanes) {
    const int left = y.cols - first;
    const ScaledOutput scaled{.row_scales = x.scales,
                              .column_scales = columns.scales + first,
                              .bias = kBias,
                              .y = y.data + first,
                              .stride = y.stride,
                              .columns = left};
    add_rows<Operands::kWords, kMaxVectors>(
        {.x = reinterpret_cast<const std::byte*>(x.values),
         .x_stride = x.stride * 2,
         .bytes = x.depth * 2,
         .packed = reinterpret_cast<const std::byte*>(columns.packed + first * 2),
         .packed_stride = columns.count * 4,
         .start = kStart,
         .start_stride = 0},
        std::min(kMaxVectors, (left + kLanes - 1) / kLanes), x.rows, {}, &scaled);
  }
}
#else
constexpr bool kHere = false, kHasVnni = false;
std::size_t TileRowSize(int depth) {
  return std::size_t(depth);
}
void PlaceTileRow(const std::uint8_t*, int, int, int, std::byte*) {
  assert(false);
}
void MultiplyTiles(const TileRows&, const std::byte*, int, int, MatrixView) {
  assert(false);
}
void MultiplyWords(const WordRows&, const WordColumns&, MatrixView) {
  assert(false);
}
#endif

bool HasTiles() {
  return kHere;
}
bool HasVnni() {
  return kHasVnni;
}
int TileColumns() {
  return kTileColumns;
}
std::size_t TileSize(int depth) {
  return tile_size(depth);
}

void PackTileColumn(const std::int8_t* row, int depth, float scale, float bias, int output,
                    std::byte* packed) {
  constexpr std::uint32_t kFlip = kHasVnni ? 0 : 0x80808080;
  const int column = output % kTileColumns;
  std::byte* const tile = packed + std::size_t(output / kTileColumns) * tile_size(depth);
  std::byte* to = tile + column * kQuad;
  for (int at = 0; at < depth; at += kQuad, to += kTileColumns * kQuad) {
    std::uint32_t values;
    std::memcpy(&values, row + at, kQuad);
    values ^= kFlip;
    std::memcpy(to, &values, kQuad);
  }
  TileScales& scales = scales_of(tile, depth);
  scales.starts[column] = -kShift * std::accumulate(row, row + depth, 0);
  scales.columns[column] = scale, scales.bias[column] = bias;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace palisade
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace palisade {

HWY_EXPORT(HasTiles);
HWY_EXPORT(HasVnni);
HWY_EXPORT(TileColumns);
HWY_EXPORT(TileSize);
HWY_EXPORT(TileRowSize);
HWY_EXPORT(PackTileColumn);
HWY_EXPORT(PlaceTileRow);
HWY_EXPORT(MultiplyTiles);
HWY_EXPORT(MultiplyWords);

bool has_integer_tiles() {
  return HWY_DYNAMIC_DISPATCH(HasTiles)();
}

bool integer_tiles_have_vnni() {
  return HWY_DYNAMIC_DISPATCH(HasVnni)();
}

int tiles_of(int outputs) {
  const int columns = HWY_DYNAMIC_DISPATCH(TileColumns)();
  return (outputs + columns - 1) / columns;
}

std::size_t packed_tiles_size(int outputs, int depth) {
  return std::size_t(tiles_of(outputs)) * HWY_DYNAMIC_DISPATCH(TileSize)(depth);
}

void pack_tile_column(const TileColumn& column, int output, std::span<std::byte> packed) {
  HWY_DYNAMIC_DISPATCH(PackTileColumn)
  (column.weights.data(), int(column.weights.size()), column.scale, column.bias, output, packed.data());
}

std::size_t tile_row_size(int depth) {
  return HWY_DYNAMIC_DISPATCH(TileRowSize)(depth);
}

void place_tile_row(std::span<const std::uint8_t> row, int at, int count, std::span<std::byte> all) {
  HWY_DYNAMIC_DISPATCH(PlaceTileRow)(row.data(), int(row.size()), at, count, all.data());
}

void multiply_tiles(const TileRows& x, std::span<const std::byte> packed, int first, int last, MatrixView y) {
  HWY_DYNAMIC_DISPATCH(MultiplyTiles)(x, packed.data(), first, last, y);
}

void multiply_words(const WordRows& x, const WordColumns& columns, MatrixView y) {
  assert(x.depth % 8 == 0 && columns.count % 16 == 0 && y.cols <= std::min(columns.count, kMaxWordColumns));
  HWY_DYNAMIC_DISPATCH(MultiplyWords)(x, columns, y);
}

}  // namespace palisade
#endif
