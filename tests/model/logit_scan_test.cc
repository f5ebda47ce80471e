#include "model/kernels/logit_scan.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "model/kernels/kernels.h"
#include "tests/model/without_instructions.h"

using namespace palisade;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kMaxFloat = std::numeric_limits<float>::max();
constexpr int kLengths[] = {1, 2, 7, 15, 16, 17, 255, 1023, 1024, 1025, 3000, 257216};

// Runs a test with each instruction set of this CPU, the simplest last.
template <typename Check>
void for_instructions(const Check& check) {
  std::int64_t missing = 0;
  for (std::int64_t left = hwy::SupportedTargets(); left != 0; left &= left - 1) {
    CAPTURE(hwy::TargetName(left & -left));
    const test::WithoutInstructions without(missing);
    check();
    missing |= left & -left;
  }
}

std::vector<float> random_row(int size, float deviation, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> any(0, deviation);
  std::vector<float> row(static_cast<std::size_t>(size));
  for (float& logit : row) logit = any(random);
  return row;
}

double log_sum_of(const std::vector<float>& row) {
  const double largest = *std::ranges::max_element(row);
  double sum = 0;
  for (const float logit : row) sum += std::exp(double(logit) - largest);
  return largest + std::log(sum);
}

void check_like_double(const std::vector<float>& row, double tolerance = 5e-7) {
  const LogitScan scan = scan_logits(row);
  REQUIRE(scan.finite);
  CHECK(scan.most_probable == std::ranges::max_element(row) - row.begin());
  CHECK(std::abs(scan.log_sum - log_sum_of(row)) <= tolerance);
  // No probability is above 1.
  CHECK(double(row[std::size_t(scan.most_probable)]) <= scan.log_sum);
  for (std::size_t block = 0; block < scan.block_maxima.size(); ++block) {
    const auto first = row.begin() + std::ptrdiff_t(block) * LogitScan::kBlock;
    const auto end = first + std::min<std::ptrdiff_t>(LogitScan::kBlock, row.end() - first);
    CHECK(scan.block_maxima[block] == *std::max_element(first, end));
  }
}

bool same(const LogitScan& a, const LogitScan& b) {
  return a.finite == b.finite && a.most_probable == b.most_probable && a.log_sum == b.log_sum &&
         a.block_maxima == b.block_maxima;
}

}  // namespace

TEST_CASE("a scan gives the first of the largest logits and the sum in double, on every instruction set") {
  for_instructions([] {
    for (const int size : kLengths) {
      CAPTURE(size);
      for (const float deviation : {0.01f, 3.0f, 30.0f})
        check_like_double(random_row(size, deviation, unsigned(size)));
    }
  });
}

TEST_CASE("a scan has the same bits on every instruction set") {
  for (const int size : kLengths) {
    CAPTURE(size);
    const auto row = random_row(size, 4, 7);
    const LogitScan first = scan_logits(row);
    for_instructions([&] { CHECK(same(scan_logits(row), first)); });
  }
}

TEST_CASE("of equal logits the lowest token is chosen, wherever they stand") {
  for_instructions([] {
    for (const int size : kLengths) {
      CAPTURE(size);
      auto row = random_row(size, 2, 5);
      for (const int place : {0, size / 3, size / 2, size - 1}) row[std::size_t(place)] = 50;
      CHECK(scan_logits(row).most_probable == 0);
      row[0] = 1;
      if (size > 3) CHECK(scan_logits(row).most_probable == size / 3);
      check_like_double(std::vector<float>(std::size_t(size), -3.5f));
    }
    std::vector<float> zeros(100, -0.0f);
    zeros[70] = 0;
    CHECK(scan_logits(zeros).most_probable == 0);
  });
}

TEST_CASE("rising, falling and extreme logits are added up") {
  for_instructions([] {
    std::vector<float> rising(5000);
    for (std::size_t i = 0; i < rising.size(); ++i) rising[i] = float(i) * 0.02f - 50;
    check_like_double(rising);
    std::ranges::reverse(rising);
    check_like_double(rising);
    check_like_double({-kMaxFloat, kMaxFloat, 0});
    check_like_double({-kMaxFloat, -kMaxFloat, -kMaxFloat});
    check_like_double({-kMaxFloat});
    check_like_double({std::numeric_limits<float>::denorm_min(), 0, -0.0f});
    check_like_double({1e-30f, 88, -88, -104, 3e38f});
  });
}

TEST_CASE("what is nearly certain keeps the digits of what is left") {
  for_instructions([] {
    for (const float gap : {5.0f, 15.0f, 20.0f, 30.0f}) {
      CAPTURE(gap);
      std::vector<float> row(3000, -gap);
      row[1500] = 0;
      const double left = 2999 * std::exp(-double(gap));
      CHECK(scan_logits(row).log_sum == doctest::Approx(std::log1p(left)).epsilon(1e-3).scale(0));
    }
  });
}

TEST_CASE("infinities and NaN are found in every place") {
  for_instructions([] {
    for (const int size : {1, 7, 16, 255, 1100}) {
      auto row = random_row(size, 3, 9);
      int missed = 0;
      for (float& logit : row) {
        const float before = logit;
        for (const float bad : {kInfinity, -kInfinity, std::nanf(""), -std::nanf("")}) {
          logit = bad;
          missed += scan_logits(row).finite;
        }
        logit = before;
      }
      CHECK(missed == 0);
      CHECK(scan_logits(row).finite);
    }
    std::vector<float> row(257216, 1);
    for (const std::size_t place : {0, 100000, 257215}) {
      row[place] = std::nanf("");
      CHECK_FALSE(scan_logits(row).finite);
      row[place] = 1;
    }
  });
}

TEST_CASE("bounded logits are softcap's, and are judged before they are bounded") {
  for_instructions([] {
    for (const int size : kLengths) {
      auto row = random_row(size, 40, 3), expected = row;
      softcap(expected, 30);
      const LogitScan scan = bound_and_scan(row, 30);
      CHECK(row == expected);
      CHECK(same(scan, scan_logits(expected)));
      row[std::size_t(size) / 2] = kInfinity;
      CHECK_FALSE(bound_and_scan(row, 30).finite);
    }
  });
}
