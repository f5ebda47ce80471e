#include "model/paligemma/distribution.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

#include "model/error.h"

namespace palisade {

Distribution::Distribution(std::span<const float> logits, LogitScan scan)
    : logits_(logits), scan_(std::move(scan)) {
  if (!scan_.finite) {
    throw ModelError(
        "the model's logits are not finite: its weights or the input are damaged (try `palisade model "
        "verify`)");
  }
}

float Distribution::bound_of_best(int count) const {
  std::vector<float> maxima = scan_.block_maxima;
  if (count > std::ssize(maxima)) return -std::numeric_limits<float>::infinity();
  const auto last = maxima.begin() + (count - 1);
  std::ranges::nth_element(maxima, last, std::greater());
  return *last;
}

std::vector<Candidate> Distribution::best(int count) const {
  std::vector<Candidate> candidates;
  if (count < 1) return candidates;
  const float bound = bound_of_best(count);
  for (std::size_t block = 0; block < scan_.block_maxima.size(); ++block) {
    if (scan_.block_maxima[block] < bound) continue;
    const std::size_t first = block * LogitScan::kBlock;
    const std::size_t end = std::min(first + LogitScan::kBlock, logits_.size());
    for (std::size_t token = first; token < end; ++token) {
      if (logits_[token] >= bound) candidates.push_back({TokenId(token), logprob(TokenId(token))});
    }
  }
  const auto kept = candidates.begin() + std::min<std::ptrdiff_t>(count, std::ssize(candidates));
  std::partial_sort(candidates.begin(), kept, candidates.end(), [&](const Candidate& a, const Candidate& b) {
    const float of_a = logits_[a.token], of_b = logits_[b.token];
    return of_a != of_b ? of_a > of_b : a.token < b.token;
  });
  candidates.erase(kept, candidates.end());
  return candidates;
}

}  // namespace palisade
