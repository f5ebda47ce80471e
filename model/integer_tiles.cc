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

constexpr int kQuad = 4;  // values of a row of weights that stand side by side
// Whose weights are read once, from memory.
constexpr bool are_few(int rows) {
  return rows <= 16;
}
constexpr int kMostRows = 128;  // at a time, so that their sums stay near

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

// Some rows of x by some columns. One instruction multiplies four bytes of a row by as many of each column.
struct Tile {
  const std::byte* x;
  std::ptrdiff_t x_stride;  // bytes
  int bytes;                // of each row, a multiple of kStep
  const std::byte* packed;  // four bytes of each column, then the next four
  std::ptrdiff_t packed_stride;
  bool first;             // sums begin here
  std::ptrdiff_t stride;  // of the sums
};

// What one instruction multiplies.
enum class Operands {
  kValues,   // four values of a row by four of a column: VNNI
  kWords,    // two words by two
  kWidened,  // two words by two of a column's values, which become words first
};

}  // namespace
}  // namespace palisade
#endif

HWY_BEFORE_NAMESPACE();
namespace palisade {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

#if HWY_TARGET <= HWY_AVX2 && HWY_ARCH_X86
constexpr bool kHere = true;
constexpr bool kHasVnni = HWY_TARGET == HWY_AVX3_DL;
constexpr int kLanes = HWY_TARGET == HWY_AVX2 ? 8 : 16;
constexpr int kRegisters = HWY_TARGET == HWY_AVX2 ? 16 : 32;
constexpr int kMostVectors = HWY_TARGET == HWY_AVX2 ? 2 : 5;  // of columns, in a tile
constexpr int kTileColumns = HWY_TARGET == HWY_AVX2 ? 16 : 64;
constexpr int kValueBytes = kHasVnni ? 1 : 2;
using Floats = hn::FixedTag<float, kLanes>;
using Sums = hn::FixedTag<std::int32_t, kLanes>;
using Words = hn::FixedTag<std::int16_t, 2 * kLanes>;
using SumVector = hn::Vec<Sums>;

// Values of each row that are multiplied at a time: 24 KB of weights stay in the nearest cache for many rows,
// 16 KB of them, or of words, are what memory brings in time.
constexpr int chunk_of(int rows) {
  if (!kHasVnni) return (16 << 10) / (kTileColumns * kValueBytes);
  return are_few(rows) ? 256 : 384;
}

// Whose sums, with a vector of each column, one of a row and a product, fit the registers.
constexpr int most_rows(int vectors) {
  return std::min(8, (kRegisters - vectors - 2) / vectors);
}

#if HWY_TARGET == HWY_AVX3_DL
// Every CPU of this target has VNNI; Highway 1.0 does not say so.
#define PALISADE_TILE __attribute__((target("avx512vnni")))

template <Operands kOperands>
PALISADE_TILE HWY_INLINE SumVector add_products(SumVector sum, SumVector x, SumVector columns) {
  return SumVector{kOperands == Operands::kValues ? _mm512_dpbusd_epi32(sum.raw, x.raw, columns.raw)
                                                  : _mm512_dpwssd_epi32(sum.raw, x.raw, columns.raw)};
}
#else
#define PALISADE_TILE

template <Operands kOperands>
HWY_INLINE SumVector add_products(SumVector sum, SumVector x, SumVector columns) {
  SumVector none = hn::Zero(Sums());
  const Words words;
  sum = hn::ReorderWidenMulAccumulate(Sums(), hn::BitCast(words, x), hn::BitCast(words, columns), sum, none);
  // GCC 12 would put off additions until the products of many steps no longer fit the registers.
  asm("" : "+v"(sum.raw));
  return sum;
}
#endif

// The first and third of every four values as words, or the second and fourth.
HWY_INLINE SumVector widened(SumVector values, int odd) {
  const auto both = hn::BitCast(Words(), values);
  return hn::BitCast(Sums(), hn::ShiftRight<8>(odd ? both : hn::ShiftLeft<8>(both)));
}

// sums [kRows, kLanes * kVectors] += rows by columns.
template <Operands kOperands, int kVectors, int kRows>
PALISADE_TILE void add_tile(const Tile& tile, Ahead ahead, std::int32_t* sums) {
  constexpr int kParts = kOperands == Operands::kWidened ? 2 : 1;
  const Sums d;
  SumVector all[kRows][kVectors];
#pragma GCC unroll 8
  for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 5
    for (int i = 0; i < kVectors; ++i)
      all[row][i] = tile.first ? hn::Zero(d) : hn::LoadU(d, sums + row * tile.stride + kLanes * i);
  }
  const std::byte* packed = tile.packed;
  for (int at = 0; at < tile.bytes; at += kStep) {
#pragma GCC unroll 4
    for (int four = 0; four < kStep; four += 4 * kParts, packed += tile.packed_stride) {
      const auto* const columns = reinterpret_cast<const std::int32_t*>(packed);
#pragma GCC unroll 2
      for (int part = 0; part < kParts; ++part) {
        SumVector those[kVectors];
#pragma GCC unroll 5
        for (int i = 0; i < kVectors; ++i) {
          those[i] = hn::Load(d, columns + kLanes * i);
          if constexpr (kParts == 2) those[i] = widened(those[i], part);
        }
#pragma GCC unroll 8
        for (int row = 0; row < kRows; ++row) {
          std::int32_t values;
          std::memcpy(&values, tile.x + row * tile.x_stride + at + four + 4 * part, 4);
          const SumVector x = hn::Set(d, values);
#pragma GCC unroll 5
          for (int i = 0; i < kVectors; ++i) all[row][i] = add_products<kOperands>(all[row][i], x, those[i]);
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
    for (int i = 0; i < kVectors; ++i) hn::StoreU(all[row][i], d, sums + row * tile.stride + kLanes * i);
  }
}

using AddTile = void (*)(const Tile&, Ahead, std::int32_t*);

// add_tile() of `rows` rows, at most most_rows(kVectors).
template <Operands kOperands, int kVectors>
AddTile add_tile_of(int rows) {
  constexpr auto kOf = []<int... kLess>(std::integer_sequence<int, kLess...>) {
    return std::array<AddTile, sizeof...(kLess)>{add_tile<kOperands, kVectors, kLess + 1>...};
  }
  (std::make_integer_sequence<int, most_rows(kVectors)>());
  return kOf[rows - 1];
}

// Sums to columns [first, first + kTileColumns) of y, as ScaleSums in row_formats.cc.
void scale_rows(const std::int32_t* sums, std::span<const float> steps, const ColumnScales& columns,
                int first, MatrixView y) {
  const Floats d;
  const int left = y.cols - first;
  for (int i = 0; i < kTileColumns && i < left; i += kLanes) {
    const auto there = hn::FirstN(d, std::size_t(std::min(left - i, kLanes)));
    const auto of = [&](std::span<const float> all) {
      return hn::MaskedLoad(there, d, all.data() + first + i);
    };
    const auto shifts =
        hn::MaskedLoad(hn::RebindMask(Sums(), there), Sums(), columns.shifts.data() + first + i);
    const auto its_steps = of(columns.steps);
    const auto bias = columns.bias.empty() ? hn::Zero(d) : of(columns.bias);
    for (int row = 0; row < y.rows; ++row) {
      const auto sum = hn::Sub(hn::LoadU(Sums(), sums + row * kTileColumns + i), shifts);
      const auto factor = hn::Mul(hn::Set(d, steps[row]), its_steps);
      hn::BlendedStore(hn::MulAdd(hn::ConvertTo(d, sum), factor, bias), there, d,
                       y.row(row).data() + first + i);
    }
  }
}

void PlaceTileRow(const std::uint8_t* row, int depth, int at, int count, std::byte* all) {
  const int size = chunk_of(count);
  for (int first = 0; first < depth; first += size, row += size) {
    const int chunk = std::min(size, depth - first);
    std::byte* const to = all + (std::size_t(first) * count + std::size_t(at) * chunk) * kValueBytes;
    if constexpr (kHasVnni) {
      std::memcpy(to, row, std::size_t(chunk));
      continue;
    }
    // Words, of every four values the first and third, then the second and fourth, as weights are widened.
    const hn::FixedTag<std::uint64_t, kLanes / 2> quads;
    constexpr std::uint64_t kEven = 0x00ff00ff;
    for (int i = 0; i < chunk; i += kQuad * kLanes / 2) {
      const hn::FixedTag<std::uint32_t, kLanes / 2> halves;
      const auto quad =
          hn::PromoteTo(quads, hn::LoadU(halves, reinterpret_cast<const std::uint32_t*>(row + i)));
      const auto even = hn::And(quad, hn::Set(quads, kEven));
      const auto odd = hn::And(hn::ShiftLeft<24>(quad), hn::Set(quads, kEven << 32));
      hn::StoreU(hn::Or(even, odd), quads, reinterpret_cast<std::uint64_t*>(to + 2 * i));
    }
  }
}

// A chunk of a tile in words.
void widen(const std::byte* packed, int depth, std::byte* words) {
  const Sums d;
  constexpr int kBytes = kLanes * 4;
  for (int at = 0; at < depth; at += kQuad) {
    for (int odd = 0; odd < 2; ++odd, words += kTileColumns * 4) {
      for (int i = 0; i < kTileColumns * 4; i += kBytes)
        hn::Store(widened(hn::Load(d, reinterpret_cast<const std::int32_t*>(packed + i)), odd), d,
                  reinterpret_cast<std::int32_t*>(words + i));
    }
    packed += kTileColumns * kQuad;
  }
}

void MultiplyTiles(const TileRows& x, const std::byte* packed, const ColumnScales& columns, int first_tile,
                   int last_tile, MatrixView y) {
  constexpr int kVectors = kTileColumns / kLanes, kRows = most_rows(kVectors);
  alignas(64) std::int32_t sums[kMostRows * kTileColumns];
  alignas(64) std::byte words[kHasVnni ? 64 : chunk_of(kMostRows) * kTileColumns * kValueBytes];
  // Without VNNI, weights for many rows are widened once.
  const bool widens = !kHasVnni && y.rows > kRows;
  AddTile (*const add_of)(int) = kHasVnni ? add_tile_of<Operands::kValues, kVectors>
                                 : widens ? add_tile_of<Operands::kWords, kVectors>
                                          : add_tile_of<Operands::kWidened, kVectors>;
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
      if (widens) widen(weights, depth, words);
      // The next chunk has as many lines as this one, fetched in equal shares.
      const int all_lines = depth * kTileColumns / 64, steps_a_row = depth * kValueBytes / kStep;
      const int lines = (all_lines + steps * steps_a_row - 1) / (steps * steps_a_row);
      for (int step = 0; step < steps; ++step) {
        const int row = rows * step / steps, count = rows * (step + 1) / steps - row;
        const int share = lines * steps_a_row;
        const Ahead ahead{reinterpret_cast<const char*>(next) + std::ptrdiff_t(step) * share * 64,
                          step * share < all_lines ? lines : 0, are_few(y.rows)};
        const Tile those{.x = x.values.data() +
                              (std::size_t(at) * y.rows + std::size_t(begin + row) * depth) * kValueBytes,
                         .x_stride = depth * kValueBytes,
                         .bytes = depth * kValueBytes,
                         .packed = widens ? words : weights,
                         .packed_stride = kTileColumns * 4,
                         .first = at == 0,
                         .stride = kTileColumns};
        std::int32_t* const its = sums + row * kTileColumns;
        add_of(count)(those, ahead, its);
        if (last)
          scale_rows(its, x.steps.subspan(begin + row, count), columns, tile * kTileColumns,
                     y.row_range(begin + row, count));
      }
    }
  }
}

void MultiplyWords(const WordRows& x, const std::int16_t* packed, int columns, std::int32_t* sums,
                   std::ptrdiff_t stride) {
  constexpr auto kOf = []<int... kLess>(std::integer_sequence<int, kLess...>) {
    return std::array{add_tile_of<Operands::kWords, kLess + 1>...};
  }
  (std::make_integer_sequence<int, kMostVectors>());
  for (int first = 0; first < columns; first += kMostVectors * kLanes) {
    const int vectors = std::min(kMostVectors, (columns - first) / kLanes), at_once = most_rows(vectors);
    const int steps = (x.rows + at_once - 1) / at_once;
    for (int step = 0; step < steps; ++step) {
      const int row = x.rows * step / steps, count = x.rows * (step + 1) / steps - row;
      const Tile tile{.x = reinterpret_cast<const std::byte*>(x.values + row * x.stride),
                      .x_stride = x.stride * 2,
                      .bytes = x.depth * 2,
                      .packed = reinterpret_cast<const std::byte*>(packed + first * 2),
                      .packed_stride = columns * 4,
                      .first = true,
                      .stride = stride};
      kOf[vectors - 1](count)(tile, {}, sums + row * stride + first);
    }
  }
}
#undef PALISADE_TILE
#else
constexpr bool kHere = false;
constexpr int kTileColumns = 64, kValueBytes = 1;
void PlaceTileRow(const std::uint8_t*, int, int, int, std::byte*) {
  assert(false);
}
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
int TileColumns() {
  return kTileColumns;
}
int ValueBytes() {
  return kValueBytes;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace palisade
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace palisade {

HWY_EXPORT(HasTiles);
HWY_EXPORT(TileColumns);
HWY_EXPORT(ValueBytes);
HWY_EXPORT(PlaceTileRow);
HWY_EXPORT(MultiplyTiles);
HWY_EXPORT(MultiplyWords);

namespace {

int tile_columns() {
  return HWY_DYNAMIC_DISPATCH(TileColumns)();
}

}  // namespace

bool has_integer_tiles() {
  return HWY_DYNAMIC_DISPATCH(HasTiles)();
}

int tile_value_bytes() {
  return HWY_DYNAMIC_DISPATCH(ValueBytes)();
}

int tiles_of(int outputs) {
  return (outputs + tile_columns() - 1) / tile_columns();
}

std::size_t packed_tiles_size(int outputs, int depth) {
  return std::size_t(tiles_of(outputs)) * tile_columns() * depth;
}

void pack_tile_row(std::span<const std::int8_t> row, int output, std::span<std::byte> packed) {
  const int columns = tile_columns();
  std::byte* to = packed.data() + std::size_t(output / columns) * columns * row.size() +
                  std::size_t(output % columns) * kQuad;
  for (std::size_t at = 0; at < row.size(); at += kQuad, to += columns * kQuad)
    std::memcpy(to, row.data() + at, kQuad);
}

void place_tile_row(std::span<const std::uint8_t> row, int at, int count, std::span<std::byte> all) {
  HWY_DYNAMIC_DISPATCH(PlaceTileRow)(row.data(), int(row.size()), at, count, all.data());
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
