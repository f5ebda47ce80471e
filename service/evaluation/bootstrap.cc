#include "service/evaluation/bootstrap.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace palisade {
namespace {

constexpr std::uint64_t kSeed = 0xB007;

// A number below `count`, evenly.
std::size_t place_below(std::size_t count, std::uint64_t bits) {
  return std::size_t((static_cast<unsigned __int128>(bits) * count) >> 64);
}

double mean_score(std::span<const double> scores) {
  double sum = 0;
  for (const double score : scores) sum += score;
  return sum / double(scores.size());
}

// Calls use(place) for each example of a draw.
template <typename Use>
void draw_again(std::size_t count, int draw, const Use& use) {
  const std::uint64_t start = split_mix(kSeed + std::uint64_t(draw));
  for (std::size_t i = 0; i < count; ++i) use(place_below(count, split_mix(start + i)));
}

}  // namespace

std::vector<std::size_t> drawn_places(std::size_t count, int draw) {
  std::vector<std::size_t> places;
  places.reserve(count);
  draw_again(count, draw, [&](std::size_t place) { places.push_back(place); });
  return places;
}

ScoreInterval interval_of(std::vector<double> figures) {
  if (figures.empty()) return {};
  std::ranges::sort(figures);
  const auto at = [&](double share) {
    return figures[std::size_t(share * double(figures.size() - 1) + 0.5)];
  };
  return {at(0.025), at(0.975)};
}

ScoreInterval mean_interval(std::span<const double> scores, int draws) {
  std::vector<double> means;
  for (int draw = 0; draw < draws; ++draw) {
    double sum = 0;
    draw_again(scores.size(), draw, [&](std::size_t place) { sum += scores[place]; });
    means.push_back(sum / double(scores.size()));
  }
  return interval_of(std::move(means));
}

ScoreInterval figure_interval(std::size_t count, int draws,
                              const std::function<double(std::span<const std::size_t>)>& figure) {
  std::vector<double> figures;
  for (int draw = 0; draw < draws; ++draw) figures.push_back(figure(drawn_places(count, draw)));
  return interval_of(std::move(figures));
}

PairedDifference paired_difference(double difference, std::vector<double> drawn) {
  if (drawn.empty()) return {.difference = difference};
  const auto draws = double(drawn.size());
  // No difference at all counts for neither side, and so for both.
  const auto contrary = double(std::ranges::count_if(drawn, [&](double one) {
    return difference > 0 ? one <= 0 : difference < 0 ? one >= 0 : true;
  }));
  const double p = std::clamp(2 * contrary / draws, 1 / draws, 1.0);
  return {.difference = difference, .interval = interval_of(std::move(drawn)), .p_value = p};
}

PairedDifference paired_difference(std::span<const double> first, std::span<const double> second, int draws) {
  if (first.empty()) return {};
  std::vector<double> differences(first.size());
  std::ranges::transform(second, first, differences.begin(), std::minus());
  std::vector<double> means;
  for (int draw = 0; draw < draws; ++draw) {
    double sum = 0;
    draw_again(differences.size(), draw, [&](std::size_t place) { sum += differences[place]; });
    means.push_back(sum / double(differences.size()));
  }
  return paired_difference(mean_score(differences), std::move(means));
}

double mcnemar_p_value(int first_alone, int second_alone) {
  const int both = first_alone + second_alone, fewer = std::min(first_alone, second_alone);
  // The probability that a fair coin, thrown `both` times, shows `fewer` heads or less.
  double tail = 0;
  for (int heads = 0; heads <= fewer; ++heads)
    tail += std::exp(std::lgamma(both + 1.0) - std::lgamma(heads + 1.0) - std::lgamma(both - heads + 1.0) -
                     both * std::log(2.0));
  return std::min(1.0, 2 * tail);
}

}  // namespace palisade
