#include "model/kernels/integer_tiles.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <vector>

#include "tests/model/without_instructions.h"

using namespace palisade;

namespace {

// Random bytes of the whole range, the extremes more often.
template <typename Byte>
std::vector<Byte> random_bytes(std::size_t count, int least, int most, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> any(least, most), dice(0, 3);
  std::vector<Byte> bytes(count);
  for (Byte& byte : bytes) byte = Byte(dice(random) == 0 ? (dice(random) < 2 ? least : most) : any(random));
  return bytes;
}

void check_tiles() {
  for (const auto& [rows, outputs, depth] : {std::tuple{1, 64, 128},
                                             {2, 200, 256},
                                             {3, 65, 384},
                                             {4, 1, 1152},
                                             {5, 130, 128},
                                             {6, 63, 640},
                                             {7, 64, 2048},
                                             {8, 70, 256},
                                             {13, 192, 128},
                                             {129, 80, 384},
                                             {300, 17, 4352}}) {
    CAPTURE(rows);
    CAPTURE(outputs);
    CAPTURE(depth);
    const auto x = random_bytes<std::uint8_t>(std::size_t(rows) * depth, 1, 255, 1);
    const auto weights = random_bytes<std::int8_t>(std::size_t(outputs) * depth, -127, 127, 2);
    std::vector<std::byte> packed(packed_tiles_size(outputs, depth) + 64);
    const std::span aligned(packed.data() + (64 - reinterpret_cast<std::uintptr_t>(packed.data()) % 64) % 64,
                            packed_tiles_size(outputs, depth));
    std::vector<std::byte> placed(rows * tile_row_size(depth));
    for (int row = 0; row < rows; ++row)
      place_tile_row({x.data() + std::size_t(row) * depth, std::size_t(depth)}, row, rows, placed);
    std::vector<float> x_scales(rows), scales(outputs), bias(outputs);
    for (int row = 0; row < rows; ++row) x_scales[row] = float(1 + row % 3);
    for (int i = 0; i < outputs; ++i) {
      scales[i] = 1.0f / float(1 << i % 4), bias[i] = float(i);
      pack_tile_column({{weights.data() + std::size_t(i) * depth, std::size_t(depth)}, scales[i], bias[i]}, i,
                       aligned);
    }
    Matrix y(rows, outputs + 1);
    std::fill_n(y.data(), y.size(), 7.0f);
    const int tiles = tiles_of(outputs), middle = tiles / 2;
    const MatrixView columns = y.view().block(0, rows, 0, outputs);
    const TileRows tile_rows{placed, x_scales, depth};
    multiply_tiles(tile_rows, aligned, middle, tiles, columns);
    multiply_tiles(tile_rows, aligned, 0, middle, columns);
    int wrong = 0;
    for (int row = 0; row < rows; ++row) {
      for (int i = 0; i < outputs; ++i) {
        std::int32_t sum = 0;
        for (int at = 0; at < depth; ++at)
          sum += (x[std::size_t(row) * depth + at] - kShift) * weights[std::size_t(i) * depth + at];
        // Rounds once for the sum and once for the result, like a fused multiply-add.
        wrong += y.row(row)[i] != float(double(float(sum)) * (x_scales[row] * scales[i]) + bias[i]);
      }
      CHECK(y.row(row)[outputs] == 7.0f);
    }
    CHECK(wrong == 0);
  }
}

void check_words() {
  for (const auto& [rows, columns, depth] :
       {std::tuple{1, 16, 8}, {3, 5, 72}, {6, 64, 72}, {13, 72, 256}, {64, 80, 256}, {17, 41, 512}}) {
    CAPTURE(rows);
    CAPTURE(columns);
    CAPTURE(depth);
    const int count = (columns + 15) / 16 * 16;
    std::mt19937 random(3);
    std::uniform_int_distribution<int> any(-2047, 2047);
    std::vector<std::int16_t> x(std::size_t(rows) * depth);
    for (std::int16_t& value : x) value = std::int16_t(any(random));
    const Block<std::byte> memory = take_memory(std::size_t(depth) * count * 2);
    auto* const packed = reinterpret_cast<std::int16_t*>(memory.get());
    for (int i = 0; i < depth * count; ++i) packed[i] = std::int16_t(any(random));
    std::vector<float> x_scales(rows), scales(count);
    for (int row = 0; row < rows; ++row) x_scales[row] = float(1 + row % 3);
    for (int i = 0; i < count; ++i) scales[i] = 1.0f / float(1 << i % 4);
    Matrix y(rows, columns + 1);
    std::fill_n(y.data(), y.size(), 7.0f);
    multiply_words({x.data(), x_scales.data(), rows, depth, depth}, {packed, scales.data(), count},
                   y.view().block(0, rows, 0, columns));
    int wrong = 0;
    for (int row = 0; row < rows; ++row) {
      for (int i = 0; i < columns; ++i) {
        std::int32_t sum = 0;
        for (int at = 0; at < depth; ++at)
          sum += x[std::size_t(row) * depth + at] * packed[(at / 2 * count + i) * 2 + at % 2];
        wrong += y.row(row)[i] != float(sum) * (x_scales[row] * scales[i]);
      }
      CHECK(y.row(row)[columns] == 7.0f);
    }
    CHECK(wrong == 0);
  }
}

}  // namespace

TEST_CASE(
    "tiles and words multiply exactly, whatever the rows, columns and depth, and write no other column") {
  int kinds = 0;
  for (const std::int64_t missing :
       std::initializer_list<std::int64_t>{0, HWY_AVX3_DL, HWY_AVX3_DL | HWY_AVX3}) {
    CAPTURE(missing);
    const test::WithoutInstructions without(missing);
    if (!has_integer_tiles()) continue;
    check_tiles();
    check_words();
    ++kinds;
  }
  if (kinds == 0) MESSAGE("this CPU has no such products");
}
