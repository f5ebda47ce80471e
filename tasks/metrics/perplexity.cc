#include "tasks/metrics/perplexity.h"

#include <algorithm>
#include <cmath>

#include "base/eigen.h"

namespace palisade {

PerplexityScore perplexity(std::span<const float> logits, std::span<const int> tokens,
                           std::span<const float> weights, std::size_t vocabulary) {
  constexpr double kLeastWeight = 2e-38;
  PerplexityScore score;
  double all = 0;
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    const auto row = array_of(logits.subspan((i - 1) * vocabulary, vocabulary)).cast<double>().eval();
    const double most = row.maxCoeff();
    const double log_sum = most + std::log((row - most).exp().sum());
    score.sum += double(weights[i]) * (log_sum - row[Eigen::Index(tokens[i])]);
    all += double(weights[i]);
  }
  score.avg = score.sum / std::max(all, kLeastWeight);
  return score;
}

}  // namespace palisade
