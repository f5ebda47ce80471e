#include "model/integer_tiles.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <utility>

#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/integer_tiles.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway asks.
#include <hwy/highway.h>

#ifndef PALISADE_MODEL_INTEGER_TILES_ONCE
#define PALISADE_MODEL_INTEGER_TILES_ONCE
namespace palisade {
namespace {

constexpr int kTileColumns = 64;
constexpr int kQuad = 4;  // values that one instruction multiplies and adds up
// Values of each row that are multiplied at a time. Their weights, 24 KB, stay in the nearest cache for many
// rows; of few rows they are read once, from memory, and 16 KB are what it brings in time.
constexpr bool are_few(int rows) {
  return rows <= 16;
}
constexpr int chunk_of(int rows) {
  return are_few(rows) ? 256 : 384;
}
constexpr int kMostRows = 128;  // at a time, so that their sums stay near

// Whose sums, with a vector of each column and of a row, fit 32 registers.
constexpr int most_rows(int vectors) {
  return std::min(8, 25 / vectors);
}

// Weights that are read next, fetched while others are multiplied.
struct Ahead {
  const char* at = nullptr;
  int lines_a_step = 0;  // of kStep bytes of a row
  // Into the second cache what comes after it too: few rows do not take as long as memory does, with many it
  // would only drive out what they need.
  bool further = false;
};

constexpr int kStep = 16;
constexpr int kFurther = 16 << 10;

// Some rows of x by some columns. One instruction multiplies four bytes of a row by as many of 16 columns:
// four values, or two words.
struct Tile {
  const std::uint8_t* x;
  std::ptrdiff_t x_stride;  // bytes
  int bytes;                // of each row, a multiple of kStep
  const std::byte* packed;  // [bytes / 4, columns, 4 bytes]
  bool first;               // sums begin here
  std::ptrdiff_t stride;    // of the sums
};

}  // namespace
}  // namespace palisade
#endif

HWY_BEFORE_NAMESPACE();
namespace palisade {
namespace HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_AVX3_DL
constexpr bool kHere = true;

// sums [kRows, 16 kVectors] += rows by columns. Every CPU of this target has VNNI; Highway 1.0 does not say
// so.
template <bool kWords, int kVectors, int kRows>
__attribute__((target("avx512vnni"))) void add_tile(const Tile& tile, Ahead ahead, std::int32_t* sums) {
  __m512i all[kRows][kVectors];
#pragma GCC unroll 8
  for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 5
    for (int i = 0; i < kVectors; ++i)
      all[row][i] =
          tile.first ? _mm512_setzero_si512() : _mm512_loadu_si512(sums + row * tile.stride + 16 * i);
  }
  const std::byte* packed = tile.packed;
  for (int at = 0; at < tile.bytes; at += kStep) {
#pragma GCC unroll 4
    for (int four = 0; four < kStep; four += 4, packed += 64 * kVectors) {
      __m512i columns[kVectors];
#pragma GCC unroll 5
      for (int i = 0; i < kVectors; ++i) columns[i] = _mm512_load_si512(packed + 64 * i);
#pragma GCC unroll 8
      for (int row = 0; row < kRows; ++row) {
        std::int32_t values;
        std::memcpy(&values, tile.x + row * tile.x_stride + at + four, 4);
        const __m512i x = _mm512_set1_epi32(values);
#pragma GCC unroll 5
        for (int i = 0; i < kVectors; ++i) {
          __m512i& sum = all[row][i];
          sum = kWords ? _mm512_dpwssd_epi32(sum, x, columns[i]) : _mm512_dpbusd_epi32(sum, x, columns[i]);
        }
      }
    }
    for (int line = 0; line < ahead.lines_a_step; ++line, ahead.at += 64) {
      _mm_prefetch(ahead.at, _MM_HINT_T0);
      if (ahead.further) _mm_prefetch(ahead.at + kFurther, _MM_HINT_T1);
    }
  }
#pragma GCC unroll 8
  for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 5
    for (int i = 0; i < kVectors; ++i) _mm512_storeu_si512(sums + row * tile.stride + 16 * i, all[row][i]);
  }
}

using AddTile = void (*)(const Tile&, Ahead, std::int32_t*);

// add_tile() of `rows` rows, at most most_rows(kVectors).
template <bool kWords, int kVectors>
AddTile add_tile_of(int rows) {
  constexpr auto kOf = []<int... kLess>(std::integer_sequence<int, kLess...>) {
    return std::array<AddTile, sizeof...(kLess)>{add_tile<kWords, kVectors, kLess + 1>...};
  }
  (std::make_integer_sequence<int, most_rows(kVectors)>());
  return kOf[rows - 1];
}

// Sums to columns [first, first + 64) of y, as ScaleSums in row_formats.cc.
void scale_rows(const std::int32_t* sums, std::span<const float> steps, const ColumnScales& columns,
                int first, MatrixView y) {
  const int left = y.cols - first;
  for (int i = 0; i < kTileColumns && i < left; i += 16) {
    const __mmask16 there = left - i >= 16 ? __mmask16(0xffff) : __mmask16((1u << (left - i)) - 1);
    const auto of = [&](std::span<const float> all) {
      return _mm512_maskz_loadu_ps(there, all.data() + first + i);
    };
    const __m512i shifts = _mm512_maskz_loadu_epi32(there, columns.shifts.data() + first + i);
    const __m512 its_steps = of(columns.steps);
    const __m512 bias = columns.bias.empty() ? _mm512_setzero_ps() : of(columns.bias);
    for (int row = 0; row < y.rows; ++row) {
      const __m512i sum = _mm512_sub_epi32(_mm512_load_si512(sums + row * kTileColumns + i), shifts);
      const __m512 factor = _mm512_mul_ps(_mm512_set1_ps(steps[row]), its_steps);
      const __m512 result = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), factor, bias);
      _mm512_mask_storeu_ps(y.row(row).data() + first + i, there, result);
    }
  }
}

void MultiplyTiles(const TileRows& x, const std::byte* packed, const ColumnScales& columns, int first_tile,
                   int last_tile, MatrixView y) {
  constexpr int kVectors = kTileColumns / 16, kRows = most_rows(kVectors);
  constexpr int kLinesAStep = kStep * kTileColumns / 64;
  alignas(64) std::int32_t sums[kMostRows * kTileColumns];
  const auto tile_at = [&](int tile) { return packed + std::size_t(tile) * x.depth * kTileColumns; };
  const int blocks = (y.rows + kMostRows - 1) / kMostRows;
  for (int task = first_tile * blocks; task < last_tile * blocks; ++task) {
    const int tile = task / blocks, block = task % blocks;
    const int begin = int(std::int64_t(y.rows) * block / blocks);
    const int rows = int(std::int64_t(y.rows) * (block + 1) / blocks) - begin;
    const int steps = (rows + kRows - 1) / kRows;
    for (int at = 0; at < x.depth; at += chunk_of(y.rows)) {
      const int depth = std::min(chunk_of(y.rows), x.depth - at);
      const bool last = at + depth == x.depth;
      const std::byte* const weights = tile_at(tile) + std::size_t(at) * kTileColumns;
      const std::byte* const next = last ? tile_at((task + 1) / blocks) : weights + depth * kTileColumns;
      // The next chunk has as many lines as this one, fetched in equal shares.
      const int lines = (kLinesAStep + steps - 1) / steps, all_lines = kLinesAStep * (depth / kStep);
      for (int step = 0; step < steps; ++step) {
        const int row = rows * step / steps, count = rows * (step + 1) / steps - row;
        const int share = lines * (depth / kStep);
        const Ahead ahead{reinterpret_cast<const char*>(next) + std::ptrdiff_t(step) * share * 64,
                          step * share < all_lines ? lines : 0, are_few(y.rows)};
        const Tile those{.x = x.values.data() + std::size_t(at) * y.rows + std::size_t(begin + row) * depth,
                         .x_stride = depth,
                         .bytes = depth,
                         .packed = weights,
                         .first = at == 0,
                         .stride = kTileColumns};
        std::int32_t* const its = sums + row * kTileColumns;
        add_tile_of<false, kVectors>(count)(those, ahead, its);
        if (last)
          scale_rows(its, x.steps.subspan(begin + row, count), columns, tile * kTileColumns,
                     y.row_range(begin + row, count));
      }
    }
  }
}

void MultiplyWords(const WordRows& x, const std::int16_t* packed, int columns, std::int32_t* sums,
                   std::ptrdiff_t stride) {
  constexpr AddTile (*kOf[])(int) = {add_tile_of<true, 1>, add_tile_of<true, 2>, add_tile_of<true, 3>,
                                     add_tile_of<true, 4>, add_tile_of<true, 5>};
  const int vectors = columns / 16, at_once = most_rows(vectors);
  const int steps = (x.rows + at_once - 1) / at_once;
  for (int step = 0; step < steps; ++step) {
    const int row = x.rows * step / steps, count = x.rows * (step + 1) / steps - row;
    const Tile tile{.x = reinterpret_cast<const std::uint8_t*>(x.values + row * x.stride),
                    .x_stride = x.stride * 2,
                    .bytes = x.depth * 2,
                    .packed = reinterpret_cast<const std::byte*>(packed),
                    .first = true,
                    .stride = stride};
    kOf[vectors - 1](count)(tile, {}, sums + row * stride);
  }
}
#else
constexpr bool kHere = false;
void MultiplyTiles(const TileRows&, const std::byte*, const ColumnScales&, int, int, MatrixView) {
  assert(false);
}
void MultiplyWords(const WordRows&, const std::int16_t*, int, std::int32_t*, std::ptrdiff_t) {
  assert(false);
}
#endif

bool HasTiles() {
  return kHere;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace palisade
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace palisade {

HWY_EXPORT(HasTiles);
HWY_EXPORT(MultiplyTiles);
HWY_EXPORT(MultiplyWords);

bool has_integer_tiles() {
  return HWY_DYNAMIC_DISPATCH(HasTiles)();
}

int tiles_of(int outputs) {
  return (outputs + kTileColumns - 1) / kTileColumns;
}

std::size_t packed_tiles_size(int outputs, int depth) {
  return std::size_t(tiles_of(outputs)) * kTileColumns * depth;
}

void pack_tile_row(std::span<const std::int8_t> row, int output, std::span<std::byte> packed) {
  std::byte* to = packed.data() + std::size_t(output / kTileColumns) * kTileColumns * row.size() +
                  std::size_t(output % kTileColumns) * kQuad;
  for (std::size_t at = 0; at < row.size(); at += kQuad, to += kTileColumns * kQuad)
    std::memcpy(to, row.data() + at, kQuad);
}

void place_tile_row(std::span<const std::uint8_t> row, int at, int count, std::span<std::uint8_t> all) {
  const auto size = std::size_t(chunk_of(count));
  for (std::size_t first = 0; first < row.size(); first += size) {
    const auto chunk = row.subspan(first, std::min(size, row.size() - first));
    std::ranges::copy(chunk, all.begin() + std::ptrdiff_t(first * count + at * chunk.size()));
  }
}

void multiply_tiles(const TileRows& x, std::span<const std::byte> packed, const ColumnScales& columns,
                    int first, int last, MatrixView y) {
  HWY_DYNAMIC_DISPATCH(MultiplyTiles)
  (x, packed.data(), columns, first, last, y);
}

void multiply_words(const WordRows& x, const std::int16_t* packed, int columns, std::int32_t* sums,
                    std::ptrdiff_t stride) {
  assert(x.depth % 8 == 0 && columns % 16 == 0 && columns <= kMostWordColumns);
  HWY_DYNAMIC_DISPATCH(MultiplyWords)(x, packed, columns, sums, stride);
}

}  // namespace palisade
#endif
