#include "service/evaluation/bootstrap.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace palisade;

namespace {

std::vector<double> shares_of(int right, int count) {
  std::vector<double> scores(std::size_t(count), 0.0);
  std::fill_n(scores.begin(), right, 1.0);
  return scores;
}

}  // namespace

TEST_CASE("a bootstrap interval is as wide as the binomial distribution says, and the same each time") {
  const std::vector<double> scores = shares_of(700, 1000);
  const ScoreInterval interval = mean_interval(scores);
  const double deviation = std::sqrt(0.7 * 0.3 / 1000);
  CHECK(interval.low == doctest::Approx(0.7 - 1.96 * deviation).epsilon(0.01));
  CHECK(interval.high == doctest::Approx(0.7 + 1.96 * deviation).epsilon(0.01));
  CHECK(mean_interval(scores) == interval);
  CHECK(mean_interval(shares_of(5, 5)) == ScoreInterval{1, 1});
}

TEST_CASE("a figure that is computed anew from the places that were drawn has the interval of the mean") {
  const std::vector<double> scores = shares_of(30, 50);
  const auto mean = [&](std::span<const std::size_t> places) {
    double sum = 0;
    for (const std::size_t place : places) sum += scores[place];
    return sum / double(places.size());
  };
  CHECK(figure_interval(scores.size(), 400, mean) == mean_interval(scores, 400));
}

TEST_CASE("draws use every place about as often as any other") {
  std::vector<int> seen(10);
  for (int draw = 0; draw < 1000; ++draw) {
    for (const std::size_t place : drawn_places(seen.size(), draw)) ++seen[place];
  }
  for (const int count : seen) CHECK(std::abs(count - 1000) < 150);
}

TEST_CASE("paired scores tell a small but steady difference from chance, which unpaired ones do not") {
  std::vector<double> first, second;
  for (int i = 0; i < 200; ++i) {
    first.push_back(i % 10 / 10.0);
    second.push_back(i % 10 / 10.0 + (i % 4 == 0 ? 0.05 : 0.01));
  }
  const PairedDifference better = paired_difference(first, second);
  CHECK(better.difference == doctest::Approx(0.02));
  CHECK(better.interval.low > 0.015);
  CHECK(better.p_value == doctest::Approx(1.0 / kBootstrapDraws));
  const PairedDifference worse = paired_difference(second, first);
  CHECK(worse.difference == doctest::Approx(-0.02));
  CHECK(worse.interval.high < 0);
  const PairedDifference same = paired_difference(first, first);
  CHECK(same.difference == 0);
  CHECK(same.p_value == 1);
  CHECK(paired_difference({}, {}).p_value == 1);
}

TEST_CASE("McNemar's exact test is the binomial one of the answers that only one of both has right") {
  CHECK(mcnemar_p_value(0, 0) == 1);
  CHECK(mcnemar_p_value(1, 0) == 1);
  // scipy.stats.binomtest(3, 13).pvalue, (2, 20), (10, 25)
  CHECK(mcnemar_p_value(3, 10) == doctest::Approx(0.092285).epsilon(1e-4));
  CHECK(mcnemar_p_value(18, 2) == doctest::Approx(0.00040245).epsilon(1e-4));
  CHECK(mcnemar_p_value(10, 15) == doctest::Approx(0.42435622).epsilon(1e-6));
  CHECK(mcnemar_p_value(15, 10) == mcnemar_p_value(10, 15));
  CHECK(mcnemar_p_value(5, 5) == 1);
  CHECK(mcnemar_p_value(3000, 1000) < 1e-200);
}
