#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace palisade {

// Between which 95 of 100 figures lie, where the examples are drawn again from these, with replacement
// (Efron's percentile interval). The draws are the same each time.
struct ScoreInterval {
  double low = 0;
  double high = 0;
  bool operator==(const ScoreInterval&) const = default;
};

inline constexpr int kBootstrapDraws = 1000;

// The places of draw number `draw` of `count` examples.
std::vector<std::size_t> drawn_places(std::size_t count, int draw);

// Interval of the mean of at least one score.
ScoreInterval mean_interval(std::span<const double> scores, int draws = kBootstrapDraws);
// Interval of any figure of `count` examples (at least one). `figure` computes it for the places of one draw.
ScoreInterval figure_interval(std::size_t count, int draws,
                              const std::function<double(std::span<const std::size_t>)>& figure);

// Interval of the figures that the draws gave.
ScoreInterval interval_of(std::vector<double> figures);

// How two models compare on the same examples.
struct PairedDifference {
  double difference = 0;        // of the second's mean score over the first's
  ScoreInterval interval = {};  // of the difference
  // Two-sided: how often a draw says the contrary, doubled; at least one in the number of draws.
  double p_value = 1;
};
PairedDifference paired_difference(std::span<const double> first, std::span<const double> second,
                                   int draws = kBootstrapDraws);
// The same of differences that were drawn otherwise.
PairedDifference paired_difference(double difference, std::vector<double> drawn);

// McNemar's exact test of answers that are right or wrong: the two-sided probability that two equal models
// differ as much, where only the first was right `first_alone` times, and only the second `second_alone`
// times.
double mcnemar_p_value(int first_alone, int second_alone);

}  // namespace palisade
