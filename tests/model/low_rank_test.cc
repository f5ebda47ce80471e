#include "model/matmul/low_rank.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "model/matmul/linear.h"
#include "tests/model/golden.h"
#include "tests/model/reference.h"

namespace palisade {
namespace {

using reference::rows_of;

Matrix random_rows(int rows, int cols, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Matrix matrix(rows, cols);
  std::generate_n(matrix.data(), matrix.size(), [&] { return normal(random); });
  return matrix;
}

LowRankMatrix random_adapter(int outputs, int inputs, int rank, unsigned seed, bool biased = false) {
  LowRankMatrix matrix{random_rows(rank, inputs, seed), random_rows(outputs, rank, seed + 1)};
  const Matrix bias = random_rows(1, outputs, seed + 2);
  if (biased) matrix.added.assign(bias.data(), bias.data() + outputs);
  return matrix;
}

// x A^T B^T + added in f64
reference::Rows product(const LowRankMatrix& matrix, const reference::Rows& x) {
  reference::Rows y = x * rows_of(matrix.a).transpose() * rows_of(matrix.b).transpose();
  for (Eigen::Index i = 0; i < y.cols() && !matrix.added.empty(); ++i) y.col(i).array() += matrix.added[i];
  return y;
}

double off_by(const Matrix& y, const reference::Rows& expected) {
  return (rows_of(y) - expected).norm() / expected.norm();
}

TEST_CASE("a Linear adds what the adapter of each row adds, in every precision, before the row is used") {
  for (const Precision precision : precisions_here()) {
    // Widths of no whole vector or panel, and of more than one thread's share.
    for (const auto& [outputs, inputs, rank] : {std::tuple{67, 45, 3}, {500, 130, 8}, {2048, 1024, 16}}) {
      CAPTURE(name_of(precision));
      CAPTURE(outputs);
      const Matrix weight = random_rows(outputs, inputs, 1), x = random_rows(9, inputs, 2);
      const LowRankMatrix a = random_adapter(outputs, inputs, rank, 3, true),
                          b = random_adapter(outputs, inputs, rank + 2, 6);
      const std::vector<LowRankOutputs> of_a = {{&a, 0, outputs}}, of_b = {{&b, 0, outputs}};
      const bool halves = precision != Precision::kF32;
      const LowRank first(inputs, std::span(&of_a, 1), halves), second(inputs, std::span(&of_b, 1), halves);
      const RowAdapters adapters = {&first, nullptr, &second, &second, nullptr,
                                    &first, &first,  &second, nullptr};
      reference::Rows expected = rows_of(x) * rows_of(weight).transpose();
      for (int row = 0; row < x.rows(); ++row) {
        if (adapters[row] != nullptr)
          expected.row(row) += product(adapters[row] == &first ? a : b, rows_of(x).row(row));
      }
      const Linear linear(weight, {}, precision);
      Matrix y(x.rows(), outputs), doubled(x.rows(), outputs);
      const auto use = [&](int row, std::span<const float> values) {
        for (int i = 0; i < outputs; ++i) doubled.row(row)[i] = 2 * values[i];
      };
      linear(x, y, use, adapters);
      const double tolerance = precision == Precision::kF32    ? 1e-6
                               : precision == Precision::kBf16 ? 5e-3
                                                               : 2e-2;
      CHECK(off_by(y, expected) < tolerance);
      CHECK(off_by(doubled, 2 * expected) < tolerance);
      // A row is the same bits alone.
      Matrix alone(1, outputs);
      linear(x.view().row_range(3, 1), alone, {}, {&second});
      CHECK(std::ranges::equal(alone.row(0), y.row(3)));
    }
  }
}

TEST_CASE("Linears that share an input have their own outputs of stacked matrices") {
  const int inputs = 96, width = 80, rank = 4, rows = 5;
  const Matrix x = random_rows(rows, inputs, 1), none(2 * 40, inputs);
  std::fill_n(const_cast<Matrix&>(none).data(), none.size(), 0.0f);
  const LowRankMatrix q = random_adapter(width, inputs, rank, 2, true),
                      v = random_adapter(width, inputs, 2 * rank, 5);
  // Two halves of q and v, with nothing for k between them.
  std::vector<std::vector<LowRankOutputs>> halves;
  for (const int first : {0, 30}) {
    const int count = first == 0 ? 30 : 50;
    halves.push_back({{&q, first, count}, {nullptr, first, count}, {&v, first, count}});
  }
  const LowRank adapter(inputs, halves, false);
  CHECK(adapter.ranks() == 3 * rank);
  LowRankRows low(rows_of(adapter, rows));
  for (int row = 0; row < rows; ++row) low.set(row, x.row(row));
  for (const int half : {0, 1}) {
    const int first = half == 0 ? 0 : 30, count = half == 0 ? 30 : 50;
    Matrix y(rows, 3 * count);
    std::fill_n(y.data(), y.size(), 0.0f);
    low.add_to(y, half);
    reference::Rows expected = reference::Rows::Zero(rows, 3 * count);
    expected.leftCols(count) = product(q, rows_of(x)).middleCols(first, count);
    expected.rightCols(count) = product(v, rows_of(x)).middleCols(first, count);
    CHECK(off_by(y, expected) < 1e-6);
  }
}

TEST_CASE("an adapter of no matrix adds nothing, and one in halves takes half the memory") {
  const std::vector<LowRankOutputs> empty = {{nullptr, 0, 8}};
  CHECK(!LowRank(16, std::span(&empty, 1), false));
  CHECK(!LowRankRows(RowAdapters(3)));
  const LowRankMatrix matrix = random_adapter(128, 64, 4, 1);
  const std::vector<LowRankOutputs> all = {{&matrix, 0, 128}};
  CHECK(LowRank(64, std::span(&all, 1), false).bytes() == 4 * (4 * 64 + 4 * 128));
  CHECK(LowRank(64, std::span(&all, 1), true).bytes() == 2 * (4 * 64 + 4 * 128));
}

}  // namespace
}  // namespace palisade
