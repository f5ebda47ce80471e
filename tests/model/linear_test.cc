#include "model/matmul/linear.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <span>
#include <tuple>
#include <vector>

#include "model/error.h"
#include "model/kernels/integer_tiles.h"
#include "model/kernels/kernels.h"
#include "model/kernels/row_formats.h"
#include "model/matmul/bare_matmul.h"
#include "model/matmul/onednn_matmul.h"
#include "model/tensor/parallel.h"
#include "model/weights/calibration.h"
#include "tests/model/golden.h"
#include "tests/model/reference.h"

using namespace palisade;
using reference::rows_of;

namespace {

Matrix random_matrix(int rows, int cols, unsigned seed, float deviation = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, deviation);
  Matrix matrix(rows, cols);
  std::generate_n(matrix.data(), matrix.size(), [&] { return normal(random); });
  return matrix;
}

// x W^T + bias in f64, rounded to f32 at the end.
Matrix exact_matmul(const Matrix& x, const Matrix& weight, std::span<const float> bias) {
  reference::Rows matmul = rows_of(x) * rows_of(weight).transpose();
  if (!bias.empty()) matmul.array().rowwise() += array_of(bias).cast<double>().transpose();
  Matrix y(x.rows(), weight.rows());
  array_of(y.view()) = matmul.cast<float>();
  return y;
}

Matrix matmul(const Matrix& x, const Matrix& weight, std::span<const float> bias, Precision precision) {
  Matrix y(x.rows(), weight.rows());
  Linear(weight, bias, precision)(x, y);
  return y;
}

// The same in int8 by oneDNN, as PackedMatrix computes it without tiles.
Matrix onednn_matmul(const Matrix& x, const Matrix& weight, std::span<const float> bias) {
  const int depth = rotated_size(x.cols()), outputs = weight.rows();
  std::vector<std::uint8_t> bytes(std::size_t(x.rows()) * depth);
  std::vector<std::int8_t> weights(std::size_t(outputs) * depth);
  std::vector<float> x_steps(x.rows()), steps(outputs);
  std::vector<std::int32_t> shifts(outputs);
  for (int row = 0; row < x.rows(); ++row)
    x_steps[row] = quantise_rotated(x.row(row), std::span(bytes).subspan(std::size_t(row) * depth, depth));
  for (int row = 0; row < outputs; ++row) {
    const auto its = std::span(weights).subspan(std::size_t(row) * depth, depth);
    steps[row] = quantise_rotated(weight.row(row), its);
    shifts[row] = kShift * std::accumulate(its.begin(), its.end(), 0);
  }
  const OneDnnMatmul matmul(depth, outputs, format_of(Precision::kInt8), {});
  std::vector<std::byte> packed(matmul.packed_size());
  matmul.pack(weights.data(), packed.data());
  Matrix y(x.rows(), outputs);
  matmul.multiply(bytes.data(), depth, packed.data(), y);
  for (int row = 0; row < x.rows(); ++row) scale_sums(y.row(row), x_steps[row], {steps, shifts, bias});
  return y;
}

// Plain int8: rows rounded with one quantisation scale each.
Matrix plainly_rounded(const Matrix& rows) {
  Matrix rounded(rows.rows(), rows.cols());
  for (int row = 0; row < rows.rows(); ++row) {
    float most = 0;
    for (const float value : rows.row(row)) most = std::max(most, std::abs(value));
    std::ranges::transform(rows.row(row), rounded.row(row).begin(),
                           [&](float value) { return std::nearbyint(value / most * 127) * most / 127; });
  }
  return rounded;
}

constexpr Precision kAll[] = {Precision::kF32, Precision::kBf16, Precision::kInt8};

double allowed(Precision precision) {
  return precision == Precision::kF32 ? 1e-5 : precision == Precision::kBf16 ? 0.004 : 0.02;
}

}  // namespace

TEST_CASE("a matmul is right in every precision that this CPU has, whatever its width and strides") {
  for (const Precision precision : kAll) {
    CAPTURE(name_of(precision));
    if (!has_matmul(precision)) {
      MESSAGE("this CPU has no such matmuls");
      continue;
    }
    for (const auto& [rows, inputs, outputs] :
         {std::tuple{1, 128, 64}, {3, 160, 96}, {70, 1152, 200}, {5, 4304, 33}, {2, 7, 5}, {300, 160, 203}}) {
      CAPTURE(inputs);
      const Matrix x = random_matrix(rows, inputs, 1), weight = random_matrix(outputs, inputs, 2);
      const Matrix bias = random_matrix(1, outputs, 3);
      const Matrix expected = exact_matmul(x, weight, bias.row(0));
      CHECK(relative_error(matmul(x, weight, bias.row(0), precision), expected) < allowed(precision));

      Matrix wide_x(rows, inputs + 9), wide_y(rows, outputs + 3), y(rows, outputs);
      std::fill_n(wide_y.data(), wide_y.size(), 7.0f);
      for (int row = 0; row < rows; ++row) std::ranges::copy(x.row(row), wide_x.row(row).begin() + 9);
      Linear(weight, bias.row(0), precision)(wide_x.view().block(0, rows, 9, inputs),
                                             wide_y.view().block(0, rows, 0, outputs));
      for (int row = 0; row < rows; ++row) {
        std::copy_n(wide_y.row(row).begin(), outputs, y.row(row).begin());
        CHECK(wide_y.row(row)[outputs] == 7.0f);
      }
      CHECK(relative_error(y, expected) < allowed(precision));
    }
  }
}

TEST_CASE("what a row becomes in f32 and int8 does not depend on how many rows share the matmul") {
  constexpr int kRows = 150, kInputs = 320, kOutputs = 200;
  const Matrix x = random_matrix(kRows, kInputs, 1), weight = random_matrix(kOutputs, kInputs, 2);
  for (const Precision precision : {Precision::kF32, Precision::kInt8}) {
    if (!has_matmul(precision)) continue;
    CAPTURE(name_of(precision));
    const Linear linear(weight, {}, precision);
    Matrix all(kRows, kOutputs);
    linear(x, all);
    for (const int rows : {1, 2, 3, 5, 6, 7, 9, 13, 64, 149}) {
      CAPTURE(rows);
      Matrix some(rows, kOutputs);
      linear(x.view().row_range(kRows - rows, rows), some);
      CHECK(std::ranges::equal(some.row(rows - 1), all.row(kRows - 1)));
    }
  }
}

TEST_CASE("rows converted by what makes them give the same matmul, and are seen by calibration") {
  for (const Precision precision : kAll) {
    if (!has_matmul(precision)) continue;
    CAPTURE(name_of(precision));
    const Matrix x = random_matrix(70, 300, 1), weight = random_matrix(200, 300, 2);
    MatmulInputs whole_inputs{WeightRows(weight)}, row_inputs{WeightRows(weight)};
    const auto recording = [&](MatmulInputs& inputs) {
      WeightRows rows(weight);
      rows.inputs = &inputs;
      return PackedMatrix(rows, {}, precision);
    };
    const PackedMatrix whole_matrix = recording(whole_inputs), row_matrix = recording(row_inputs);
    Matrix whole(70, 200), from_rows(70, 200);
    whole_matrix.multiply(x, whole);
    MatmulRows rows(row_matrix, 70);
    for (int row = 69; row >= 0; --row) rows.set(row, x.row(row));
    row_matrix.multiply(rows, from_rows);
    CHECK(std::ranges::equal(std::span(whole.data(), whole.size()),
                             std::span(from_rows.data(), from_rows.size())));
    CHECK(row_inputs.largest_inputs == whole_inputs.largest_inputs);
    CHECK(row_inputs.largest_inputs.at(7) > 0);
  }
}

TEST_CASE("int8 matmuls are the same to the last bit by tiles and by oneDNN") {
  if (!multiplies_by_tiles() || !has_exact_onednn()) {
    MESSAGE("this CPU has one of them at most");
    return;
  }
  for (const auto& [rows, inputs, outputs] :
       {std::tuple{1, 128, 64}, {3, 160, 96}, {70, 1152, 200}, {5, 4304, 33}, {2, 7, 5}}) {
    CAPTURE(inputs);
    const Matrix x = random_matrix(rows, inputs, 1), weight = random_matrix(outputs, inputs, 2),
                 bias = random_matrix(1, outputs, 3);
    const Matrix by_tiles = matmul(x, weight, bias.row(0), Precision::kInt8);
    const Matrix by_onednn = onednn_matmul(x, weight, bias.row(0));
    CHECK(std::ranges::equal(std::span(by_tiles.data(), by_tiles.size()),
                             std::span(by_onednn.data(), by_onednn.size())));
  }
}

// With bytes, because these use oneDNN's matmul on every CPU, while f32 without AVX-512 uses a convolution.
TEST_CASE("oneDNN's matmul multiplies with a bias and without") {
  constexpr int kRows = 3, kInputs = 160, kOutputs = 33;
  const std::vector<std::uint8_t> x(kRows * kInputs, 3);
  const std::vector<std::int8_t> weight(kOutputs * kInputs, -2);
  const std::vector<float> some(kOutputs, 0.5f);
  Format format = format_of(Precision::kInt8);
  format.result = dnnl::memory::data_type::f32;
  for (const std::span<const float> bias : {std::span<const float>(), std::span<const float>(some)}) {
    CAPTURE(bias.size());
    const OneDnnMatmul matmul(kInputs, kOutputs, format, bias);
    std::vector<std::byte> packed(matmul.packed_size());
    matmul.pack(weight.data(), packed.data());
    Matrix y(kRows, kOutputs);
    matmul.multiply(x.data(), kInputs, packed.data(), y);
    const float expected = -6.0f * kInputs + (bias.empty() ? 0.0f : 0.5f);
    CHECK(std::ranges::all_of(std::span(y.data(), y.size()), [&](float value) { return value == expected; }));
  }
}

TEST_CASE("rows whose sums would not fit 32 bits are refused in int8, with the remedy") {
  if (!has_matmul(Precision::kInt8)) return;
  const WeightRows long_rows(1, 70'000, [](int, MatrixView out) { std::fill_n(out.data, out.cols, 1.0f); });
  CHECK_THROWS_WITH_AS(PackedMatrix(long_rows, {}, Precision::kInt8), doctest::Contains("bf16 or f32"),
                       ModelError);
  const WeightRows longest(1, 66'300, long_rows.read);
  Matrix x(1, 66'300), y(1, 1);
  std::fill_n(x.data(), x.size(), 1.0f);
  PackedMatrix(longest, {}, Precision::kInt8).multiply(x, y);
  CHECK(y.row(0)[0] == doctest::Approx(66'300).epsilon(0.01));
}

TEST_CASE("rotating changes no length and no matmul, and twice is not at all") {
  for (const int size : {128, 1152, 200, 16384}) {
    CAPTURE(size);
    const Matrix x = random_matrix(2, size, 5);
    std::vector<float> a(rotated_size(size)), b(a.size()), again(a.size());
    rotate(x.row(0), a);
    rotate(x.row(1), b);
    rotate(a, again);
    const auto exact = [](std::span<const float> values) {
      return array_of(values).cast<double>().matrix().eval();
    };
    for (int i = 0; i < size; ++i) CHECK(again[i] == doctest::Approx(x.row(0)[i]).epsilon(1e-5));
    const double before = exact(x.row(0)).dot(exact(x.row(1))), after = exact(a).dot(exact(b));
    const double length = exact(a).squaredNorm();
    CHECK(std::abs(after - before) < 1e-5 * length);
  }
}

TEST_CASE("the rotation is Sylvester's, so that a file of rotated weights means the same on every CPU") {
  for (const int channel : {0, 1, 6, 8, 77, 127}) {
    std::vector<float> one(128, 0.0f), rotated(128);
    one[channel] = 1;
    rotate(one, rotated);
    for (int i = 0; i < 128; ++i) {
      const float sign = __builtin_popcount(unsigned(i & channel)) % 2 ? -1 : 1;
      CHECK(rotated[i] == doctest::Approx(sign / std::sqrt(128.0f)));
    }
  }
}

TEST_CASE("with channels that stand out as Gemma's do, int8 loses a third of what plain int8 loses or less") {
  if (!has_matmul(Precision::kInt8)) return;
  for (const int inputs : {2048, 1152, 16384}) {
    CAPTURE(inputs);
    Matrix x = random_matrix(24, inputs, 11);
    const Matrix weight = random_matrix(256, inputs, 12, 0.02f);
    for (const int channel : {3, inputs / 3, inputs / 2 + 1, inputs - 5}) {
      for (int row = 0; row < x.rows(); ++row) x.row(row)[channel] *= 20 / 0.6745f;  // 20 times the median
    }
    const Matrix expected = exact_matmul(x, weight, {});
    const double plain =
        relative_error(exact_matmul(plainly_rounded(x), plainly_rounded(weight), {}), expected);
    const double rotated = relative_error(matmul(x, weight, {}, Precision::kInt8), expected);
    MESSAGE("plain ", plain, ", rotated ", rotated);
    CHECK(3 * rotated < plain);
  }
}

TEST_CASE("a row of zeros gives the bias, and what is not finite shows") {
  for (const Precision precision : kAll) {
    CAPTURE(name_of(precision));
    if (!has_matmul(precision)) continue;
    const Matrix weight = random_matrix(40, 300, 21), bias = random_matrix(1, 40, 22);
    Matrix x = random_matrix(4, 300, 23);
    std::ranges::fill(x.row(0), 0.0f);
    x.row(1)[299] = NAN;
    x.row(1)[3] = std::bit_cast<float>(0xffffffffu);  // a NaN too, which rounding must not make 0
    x.row(2)[17] = INFINITY;
    const Matrix y = matmul(x, weight, bias.row(0), precision);
    CHECK(std::ranges::equal(y.row(0), bias.row(0)));
    CHECK(std::ranges::none_of(y.row(1), [](float value) { return std::isfinite(value); }));
    CHECK(std::ranges::none_of(y.row(2), [](float value) { return std::isfinite(value); }));
    CHECK(std::ranges::all_of(y.row(3), [](float value) { return std::isfinite(value); }));
  }
}

TEST_CASE("weights are read a few rows at a time while they are packed") {
  const Matrix weight = random_matrix(1000, 96, 31), x = random_matrix(3, 96, 32);
  const Matrix expected = exact_matmul(x, weight, {});
  for (const Precision precision : kAll) {
    if (!has_matmul(precision)) continue;
    std::atomic<int> most = 0, rows_read = 0;
    const WeightRows rows(1000, 96, [&](int first, MatrixView out) {
      most = std::max(most.load(), out.rows);
      rows_read += out.rows;
      for (int row = 0; row < out.rows; ++row)
        std::ranges::copy(weight.row(first + row), out.row(row).begin());
    });
    Matrix y(3, 1000);
    Linear(rows, {}, precision)(x, y);
    CHECK(relative_error(y, expected) < allowed(precision));
    CHECK(most <= 64);
    CHECK(rows_read == 1000);
  }
}

TEST_CASE(
    "each row of a matmul is used once, finished, in every precision and by several threads at a time") {
  const Matrix weight = random_matrix(700, 256, 41), bias = random_matrix(1, 700, 42);
  const Matrix x = random_matrix(300, 256, 43);
  for (const Precision precision : kAll) {
    CAPTURE(name_of(precision));
    if (!has_matmul(precision)) continue;
    const Linear linear(weight, bias.row(0), precision);
    Matrix expected(300, 700), y(300, 700), used(300, 700);
    linear(x, expected);
    std::fill_n(used.data(), used.size(), 0.0f);
    std::atomic<int> blocks = 0;
    for_row_blocks(300, [&](int first, int count) {
      ++blocks;
      linear(x.view().row_range(first, count), y.view().row_range(first, count),
             [&](int row, std::span<float> values) { add(used.row(first + row), values); });
    });
    MESSAGE(blocks.load(), " blocks");
    CHECK(relative_error(used, expected) < 1e-6);
    CHECK(relative_error(y, expected) < 1e-6);
  }
}
