#include "model/matmul/attention.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>

#include "model/kernels/integer_tiles.h"
#include "model/kernels/kernels.h"
#include "model/matmul/matmul.h"
#include "tests/model/reference.h"

using namespace palisade;
using reference::rows_of;

namespace {

Matrix random_matrix(int rows, int cols, std::mt19937& random) {
  Matrix matrix(rows, cols);
  std::normal_distribution<float> normal;
  for (std::size_t i = 0; i < matrix.size(); ++i) matrix.data()[i] = normal(random);
  return matrix;
}

// Infinity if a value is not finite.
double largest_difference(const Matrix& a, const Matrix& b) {
  return reference::largest_difference(rows_of(a), rows_of(b));
}

}  // namespace

TEST_CASE("attention equals its definition for every sharing of heads, mask and window") {
  const unsigned seed = 3;
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  for (const auto& [heads, kv_heads] : {std::pair{4, 4}, {4, 2}, {8, 1}, {3, 1}, {1, 1}}) {
    for (const auto& [rows, past] : {std::pair{1, 0}, {1, 130}, {150, 0}, {20, 30}}) {
      for (const Visibility& visibility :
           {Visibility{.first = past, .prefix = rows + past}, Visibility{.first = past},
            Visibility{.first = past, .prefix = past + rows / 2}, Visibility{.first = past, .window = 7}}) {
        for (const auto cap : {std::optional<float>(), std::optional(2.0f)}) {
          AttentionShape shape{heads, kv_heads, 24, 0.2f, cap};
          const Matrix q = random_matrix(rows, heads * 24, random);
          const Matrix keys = random_matrix(rows + past, kv_heads * 24, random);
          const Matrix values = random_matrix(rows + past, kv_heads * 24, random);
          Matrix out(rows, heads * 24);
          const reference::Rows expected =
              reference::attention(shape, rows_of(q), rows_of(keys), rows_of(values), visibility);
          for (const int first : {rows + past, (rows + past) / 2, std::min(past + 1, rows + past - 1)}) {
            std::vector<KeysAndValues> parts;
            for (const auto& [begin, count] : {std::pair{0, first}, {first, rows + past - first}}) {
              if (count > 0)
                parts.push_back({keys.view().row_range(begin, count), values.view().row_range(begin, count)});
            }
            for (const bool rounded : {false, has_integer_tiles()}) {
              shape.rounded = rounded;
              attend(shape, q, parts, visibility, out);
              CHECK(reference::largest_difference(rows_of(out), expected) < (rounded ? 0.004 : 2e-5));
            }
          }
        }
      }
    }
  }
}

TEST_CASE("what a row of a prefix becomes does not depend on the slices that it is read in") {
  constexpr int kRows = 83, kDim = 24;
  std::mt19937 random(4);
  for (const auto& [heads, kv_heads] : {std::pair{4, 4}, {4, 2}, {8, 1}, {4, 1}, {1, 1}}) {
    for (const bool rounded : {false, has_integer_tiles()}) {
      CAPTURE(heads);
      CAPTURE(rounded);
      const AttentionShape shape{
          .heads = heads, .kv_heads = kv_heads, .head_dim = kDim, .scale = 0.2f, .rounded = rounded};
      const Matrix q = random_matrix(kRows, heads * kDim, random);
      const Matrix keys = random_matrix(kRows, kv_heads * kDim, random);
      const Matrix values = random_matrix(kRows, kv_heads * kDim, random);
      const KeysAndValues all[] = {{keys, values}};
      const auto in_slices = [&](int most) {
        Matrix out(kRows, heads * kDim);
        for (int first = 0; first < kRows; first += most) {
          const int count = std::min(most, kRows - first);
          attend(shape, q.view().row_range(first, count), all, {.first = first, .prefix = kRows},
                 out.view().row_range(first, count));
        }
        return out;
      };
      const Matrix whole = in_slices(kRows);
      for (const int most : {1, 2, 3, 5, 32, 41, 80}) {
        CAPTURE(most);
        CHECK(largest_difference(in_slices(most), whole) == 0);
      }
    }
  }
}

TEST_CASE("the kernels of one row equal their definitions at every length") {
  std::mt19937 random(5);
  for (const int size : {1, 3, 15, 16, 17, 31, 64, 100}) {
    const Matrix x = random_matrix(1, size, random), up = random_matrix(1, size, random);
    std::vector<float> out(x.row(0).begin(), x.row(0).end());
    const auto check = [&](const reference::Rows& expected) {
      for (int i = 0; i < size; ++i) CHECK(out[i] == doctest::Approx(expected(i)).epsilon(1e-5));
    };
    const reference::Rows gelu = reference::gelu(rows_of(x)), gated = gelu.cwiseProduct(rows_of(up));
    gelu_tanh(out);
    check(gelu);
    gelu_tanh_gate(x.row(0), up.row(0), out);
    check(gated);
    out.assign(x.row(0).begin(), x.row(0).end());
    quick_gelu_tanh_gate(out, up.row(0));
    check(gated);
    out.assign(x.row(0).begin(), x.row(0).end());
    softmax(out);
    check(reference::softmax(rows_of(x)));
    CHECK(array_of(std::span(out)).cast<double>().sum() == doctest::Approx(1));
  }
}

TEST_CASE("the quick gelu is the definition within 2e-7 of |x|, and what is not finite shows") {
  for (const double most : {1e-3, 0.1, 1.0, 5.0, 50.0, 1e4}) {
    std::vector<float> x(20001), out;
    for (int i = 0; i < int(x.size()); ++i) x[i] = float(most * (i - 10000) / 10000);
    out = x;
    quick_gelu_tanh(out);
    double worst = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double v = x[i], root_two_over_pi = 0.7978845608028654;
      const double share = 1 / (1 + std::exp(-2 * root_two_over_pi * (v + 0.044715 * v * v * v)));
      worst = std::max(worst, std::abs(out[i] - v * share) / std::max(std::abs(v), 1e-30));
    }
    CAPTURE(most);
    CHECK(worst < 2e-7);
  }
  std::vector<float> ends = {-1e12f, -100.0f, 0.0f, 1e12f, 1e38f, std::numeric_limits<float>::quiet_NaN()};
  quick_gelu_tanh(ends);
  CHECK(std::abs(ends[0]) < 1e-20f);
  CHECK(std::abs(ends[1]) < 1e-30f);
  CHECK(ends[2] == 0.0f);
  CHECK(ends[3] == doctest::Approx(1e12).epsilon(2e-7));
  CHECK(ends[4] == doctest::Approx(1e38).epsilon(2e-7));
  CHECK(std::isnan(ends[5]));
}

TEST_CASE(
    "rounded attention is right over many positions, for sharp and flat scores, with channels that stand "
    "out") {
  if (!has_integer_tiles()) {
    MESSAGE("this CPU has no such matmul");
    return;
  }
  std::mt19937 random(6);
  for (const int dim : {8, 72, 100, 256}) {
    for (const float sharpness : {0.01f, 1.0f, 5.0f}) {
      for (const auto& [rows, past] : {std::pair{64, 0}, {70, 193}, {100, 1000}}) {
        CAPTURE(dim);
        CAPTURE(sharpness);
        CAPTURE(rows);
        const AttentionShape exact{2, 2, dim, sharpness / std::sqrt(float(dim))};
        AttentionShape rounded = exact;
        rounded.rounded = true;
        const int positions = rows + past;
        Matrix q = random_matrix(rows, 2 * dim, random), keys = random_matrix(positions, 2 * dim, random),
               values = random_matrix(positions, 2 * dim, random);
        for (int i = 0; i < positions; ++i) keys.row(i)[3] *= 3, values.row(i)[5] *= 20;
        const KeysAndValues all{keys, values};
        Matrix out(rows, 2 * dim), expected(rows, 2 * dim);
        const Visibility visibility{.first = past, .prefix = past / 2};
        attend(exact, q, {&all, 1}, visibility, expected);
        attend(rounded, q, {&all, 1}, visibility, out);
        const reference::Rows right = rows_of(expected);
        CHECK((rows_of(out) - right).norm() / right.norm() < (sharpness > 1 ? 0.01 : 0.003));
      }
    }
  }
}

TEST_CASE("what is not finite in queries, keys or values shows in rounded attention") {
  if (!has_integer_tiles()) return;
  std::mt19937 random(7);
  AttentionShape shape{1, 1, 32, 0.2f};
  shape.rounded = true;
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    for (const int spoilt : {0, 1, 2}) {
      CAPTURE(spoilt);
      Matrix operands[] = {random_matrix(64, 32, random), random_matrix(600, 32, random),
                           random_matrix(600, 32, random)};
      operands[spoilt].row(40)[7] = bad;
      const KeysAndValues all{operands[1], operands[2]};
      Matrix out(64, 32);
      attend(shape, operands[0], {&all, 1}, {.prefix = 600}, out);
      CHECK(!std::isfinite(out.row(40)[7]));
      CHECK(std::isfinite(out.row(39)[8]) == (spoilt != 1));
    }
  }
}

TEST_CASE("gelu and softmax stay finite at the ends of f32") {
  std::vector<float> x = {-1e30f, -100.0f, 0.0f, 100.0f, 1e12f};
  gelu_tanh(x);
  CHECK(x[0] == 0.0f);
  CHECK(x[1] == 0.0f);
  CHECK(x[3] == 100.0f);
  CHECK(std::isfinite(x[4]));
  std::vector<float> scores = {-3e38f, 3e38f, 3e38f};
  softmax(scores);
  CHECK(scores[0] == 0.0f);
  CHECK(scores[1] == doctest::Approx(0.5));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
namespace {

std::size_t megabytes_of(const char* key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key)) return std::stoul(line.substr(std::strlen(key))) / 1024;
  }
  throw std::runtime_error(key);
}

}  // namespace

TEST_CASE("attention of 4,112 positions holds no matrix of their square at the 3B shape") {
  constexpr int kPositions = 4112;
  const AttentionShape shape{.heads = 8, .kv_heads = 1, .head_dim = 256, .scale = 1.0f / 16};
  std::mt19937 random(4);
  const Matrix q = random_matrix(kPositions, 8 * 256, random);
  const Matrix keys = random_matrix(kPositions, 256, random);
  const Matrix values = random_matrix(kPositions, 256, random);
  Matrix out(kPositions, 8 * 256);
  std::fill_n(out.data(), out.size(), 0.0f);
  // Resets the peak; if /proc may not be written, the old peak counts.
  std::ofstream peak("/proc/self/clear_refs");
  peak << 5 << std::flush;
  const std::size_t before = megabytes_of(peak ? "VmRSS:" : "VmHWM:");
  const KeysAndValues all{keys, values};
  attend(shape, q, {&all, 1}, {.prefix = kPositions}, out);
  const std::size_t added = megabytes_of("VmHWM:") - before;
  MESSAGE("added " << added << " MB; 8 heads of all by all would be 541 MB");
  CHECK(added < 200);
}
#endif
