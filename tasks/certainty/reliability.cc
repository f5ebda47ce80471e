#include "tasks/certainty/reliability.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace palisade {
namespace {

constexpr double kLeastLikely = 1e-6;
constexpr std::uint64_t kSeed = 20'261'201;

}  // namespace

std::vector<ReliabilityBin> reliability(std::span<const JudgedChoice> choices, int bins) {
  std::vector<ReliabilityBin> all(std::size_t(std::max(bins, 1)));
  for (const JudgedChoice& choice : choices) {
    const auto at = std::size_t(std::clamp(int(choice.p * bins), 0, bins - 1));
    all[at].p += choice.p;
    all[at].right += choice.right;
    ++all[at].count;
  }
  std::erase_if(all, [](const ReliabilityBin& bin) { return bin.count == 0; });
  for (ReliabilityBin& bin : all) {
    bin.p /= bin.count;
    bin.right /= bin.count;
  }
  return all;
}

double calibration_error(std::span<const JudgedChoice> choices, int bins) {
  double error = 0;
  for (const ReliabilityBin& bin : reliability(choices, bins))
    error += bin.count * std::abs(bin.p - bin.right);
  return choices.empty() ? 0 : error / double(choices.size());
}

ErrorInterval calibration_error_interval(std::span<const JudgedChoice> choices, int draws) {
  if (choices.empty() || draws < 1) return {};
  std::mt19937_64 random(kSeed);
  std::vector<double> errors;
  std::vector<JudgedChoice> drawn(choices.size());
  for (int i = 0; i < draws; ++i) {
    for (JudgedChoice& one : drawn) one = choices[random() % choices.size()];
    errors.push_back(calibration_error(drawn));
  }
  std::ranges::sort(errors);
  const auto at = [&](double share) { return errors[std::size_t(share * double(errors.size() - 1))]; };
  return {.low = at(0.025), .high = at(0.975)};
}

double log_loss(std::span<const JudgedChoice> choices) {
  double loss = 0;
  for (const JudgedChoice& choice : choices) {
    const double p = std::clamp(choice.right ? choice.p : 1 - choice.p, kLeastLikely, 1.0);
    loss -= std::log(p);
  }
  return choices.empty() ? 0 : loss / double(choices.size());
}

}  // namespace palisade
