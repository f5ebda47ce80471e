#include "model/distribution.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "model/error.h"
#include "model/kernels.h"

namespace palisade {

Distribution::Distribution(std::span<const float> logits, std::optional<float> softcap) : logits_(logits) {
  if (!std::ranges::all_of(logits, [](float logit) { return std::isfinite(logit); })) {
    throw ModelError(
        "the model's logits are not finite: its weights or the input are damaged (try `palisade model "
        "verify`)");
  }
  if (softcap) {
    capped_.assign(logits.begin(), logits.end());
    palisade::softcap(capped_, *softcap);
    logits_ = capped_;
  }
  const double largest = *std::ranges::max_element(logits_);
  double sum = 0;
  for (const float logit : logits_) sum += std::exp(double(logit) - largest);
  log_sum_ = largest + std::log(sum);
}

Candidate Distribution::most_probable() const {
  const auto token = TokenId(std::ranges::max_element(logits_) - logits_.begin());
  return {token, logprob(token)};
}

std::vector<Candidate> Distribution::best(int count) const {
  std::vector<TokenId> tokens(logits_.size());
  std::iota(tokens.begin(), tokens.end(), 0);
  const auto kept = tokens.begin() + std::min<std::ptrdiff_t>(count, std::ssize(tokens));
  std::partial_sort(tokens.begin(), kept, tokens.end(), [&](TokenId a, TokenId b) {
    return logits_[a] != logits_[b] ? logits_[a] > logits_[b] : a < b;
  });
  std::vector<Candidate> candidates;
  for (auto token = tokens.begin(); token != kept; ++token) candidates.push_back({*token, logprob(*token)});
  return candidates;
}

}  // namespace palisade
