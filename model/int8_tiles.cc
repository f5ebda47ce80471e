#include "model/int8_tiles.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <vector>

#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/int8_tiles.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway asks.
#include <hwy/highway.h>

#ifndef PALISADE_MODEL_INT8_TILES_ONCE
#define PALISADE_MODEL_INT8_TILES_ONCE
namespace palisade {
namespace {

constexpr int kTileColumns = 64;
constexpr int kQuad = 4;     // values that one instruction multiplies and adds up
constexpr int kChunk = 256;  // values of each row at a time: their weights, 16 KB, stay in the nearest cache
constexpr int kMostRows = 128;  // at a time, so that their sums stay near
constexpr int kRowsInRegisters = 6;

// Weights that are read next, fetched while others are multiplied.
struct Ahead {
  const char* at;
  int lines_a_step;  // of 16 values
};

struct Chunk {
  const std::uint8_t* x;  // rows `depth` apart
  const std::int8_t* weights;
  int depth;
  bool first;  // of the sums
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

// sums [kRows, 64] += rows of x by a tile's chunk. Every CPU of this target has VNNI; Highway 1.0 does not
// say so.
template <int kRows>
__attribute__((target("avx512vnni"))) void add_chunk(const Chunk& chunk, Ahead ahead, std::int32_t* sums) {
  constexpr int kVectors = kTileColumns / 16, kStep = 16;
  __m512i all[kRows][kVectors];
#pragma GCC unroll 6
  for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) {
      all[row][i] =
          chunk.first ? _mm512_setzero_si512() : _mm512_load_si512(sums + row * kTileColumns + 16 * i);
    }
  }
  const std::int8_t* packed = chunk.weights;
  for (int at = 0; at < chunk.depth; at += kStep) {
#pragma GCC unroll 4
    for (int quad = 0; quad < kStep / kQuad; ++quad, packed += kQuad * kTileColumns) {
      __m512i weights[kVectors];
#pragma GCC unroll 4
      for (int i = 0; i < kVectors; ++i) weights[i] = _mm512_load_si512(packed + 64 * i);
#pragma GCC unroll 6
      for (int row = 0; row < kRows; ++row) {
        std::int32_t four;
        std::memcpy(&four, chunk.x + std::ptrdiff_t(row) * chunk.depth + at + quad * kQuad, kQuad);
        const __m512i x = _mm512_set1_epi32(four);
#pragma GCC unroll 4
        for (int i = 0; i < kVectors; ++i) all[row][i] = _mm512_dpbusd_epi32(all[row][i], x, weights[i]);
      }
    }
    // Into the nearest cache what comes next, into the second what comes after it.
    for (int line = 0; line < ahead.lines_a_step; ++line, ahead.at += 64) {
      _mm_prefetch(ahead.at, _MM_HINT_T0);
      _mm_prefetch(ahead.at + kChunk * kTileColumns, _MM_HINT_T1);
    }
  }
#pragma GCC unroll 6
  for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) _mm512_store_si512(sums + row * kTileColumns + 16 * i, all[row][i]);
  }
}

void add_chunk(int rows, const Chunk& chunk, const Ahead& ahead, std::int32_t* sums) {
  constexpr void (*kOf[])(const Chunk&, Ahead, std::int32_t*) = {
      add_chunk<1>, add_chunk<2>, add_chunk<3>, add_chunk<4>, add_chunk<5>, add_chunk<kRowsInRegisters>};
  kOf[rows - 1](chunk, ahead, sums);
}

// A row of sums to f32, as ScaleSums in row_formats.cc; `first` is its first column.
void scale_row(const std::int32_t* sums, float step, const ColumnScales& columns, int first,
               std::span<float> out) {
  const int left = int(out.size()) - first;
  for (int i = 0; i < kTileColumns && i < left; i += 16) {
    const __mmask16 there = left - i >= 16 ? __mmask16(0xffff) : __mmask16((1u << (left - i)) - 1);
    const auto of = [&](std::span<const float> all) {
      return _mm512_maskz_loadu_ps(there, all.data() + first + i);
    };
    const __m512i shifts = _mm512_maskz_loadu_epi32(there, columns.shifts.data() + first + i);
    const __m512 sum = _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_load_si512(sums + i), shifts));
    const __m512 factor = _mm512_mul_ps(_mm512_set1_ps(step), of(columns.steps));
    const __m512 result =
        columns.bias.empty() ? _mm512_mul_ps(sum, factor) : _mm512_fmadd_ps(sum, factor, of(columns.bias));
    _mm512_mask_storeu_ps(out.data() + first + i, there, result);
  }
}

void MultiplyTiles(const TileRows& x, const std::int8_t* packed, const ColumnScales& columns, int first_tile,
                   int last_tile, MatrixView y) {
  alignas(64) std::int32_t sums[kMostRows * kTileColumns];
  const auto tile_at = [&](int tile) { return packed + std::size_t(tile) * x.depth * kTileColumns; };
  const int blocks = (y.rows + kMostRows - 1) / kMostRows;
  for (int task = first_tile * blocks; task < last_tile * blocks; ++task) {
    const int tile = task / blocks, block = task % blocks;
    const int begin = int(std::int64_t(y.rows) * block / blocks);
    const int rows = int(std::int64_t(y.rows) * (block + 1) / blocks) - begin;
    const int steps = (rows + kRowsInRegisters - 1) / kRowsInRegisters;
    for (int at = 0; at < x.depth; at += kChunk) {
      const int depth = std::min(kChunk, x.depth - at);
      const bool last = at + depth == x.depth;
      const std::int8_t* const weights = tile_at(tile) + std::size_t(at) * kTileColumns;
      const std::int8_t* const next = last ? tile_at((task + 1) / blocks) : weights + depth * kTileColumns;
      // The next chunk has as many lines as this one, 64 for every 64 values, fetched in equal shares.
      const int lines = (16 + steps - 1) / steps;
      for (int step = 0; step < steps; ++step) {
        const int row = rows * step / steps, count = rows * (step + 1) / steps - row;
        const int share = lines * depth / 16;
        const Ahead ahead{reinterpret_cast<const char*>(next) + std::ptrdiff_t(step) * share * 64,
                          step * share < depth ? lines : 0};
        const Chunk chunk{x.values.data() + std::size_t(at) * y.rows + std::size_t(begin + row) * depth,
                          weights, depth, at == 0};
        std::int32_t* const its = sums + row * kTileColumns;
        add_chunk(count, chunk, ahead, its);
        if (!last) continue;
        for (int i = 0; i < count; ++i) {
          const int to = begin + row + i;
          scale_row(its + i * kTileColumns, x.steps[to], columns, tile * kTileColumns, y.row(to));
        }
      }
    }
  }
}
#else
constexpr bool kHere = false;
void MultiplyTiles(const TileRows&, const std::int8_t*, const ColumnScales&, int, int, MatrixView) {
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

bool has_int8_tiles() {
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
  for (std::size_t first = 0; first < row.size(); first += kChunk) {
    const auto chunk = row.subspan(first, std::min<std::size_t>(kChunk, row.size() - first));
    std::ranges::copy(chunk, all.begin() + std::ptrdiff_t(first * count + at * chunk.size()));
  }
}

void multiply_tiles(const TileRows& x, std::span<const std::byte> packed, const ColumnScales& columns,
                    int first, int last, MatrixView y) {
  HWY_DYNAMIC_DISPATCH(MultiplyTiles)
  (x, reinterpret_cast<const std::int8_t*>(packed.data()), columns, first, last, y);
}

}  // namespace palisade
#endif
