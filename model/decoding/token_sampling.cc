// One token after the other: the most probable, or drawn.
#include <algorithm>
#include <cmath>
#include <random>

#include "model/decoding/decoding_policy.h"
#include "model/paligemma/distribution.h"

namespace palisade {
namespace {

// Tokens by falling probability, ties by id, taken from a heap only as far as they are asked for: the whole
// vocabulary is never sorted.
class FallingTokens {
 public:
  FallingTokens(const Distribution& distribution, double temperature) {
    const std::span<const float> logits = distribution.logits();
    const double largest = logits[distribution.most_probable().token];
    heap_.reserve(logits.size());
    for (std::size_t token = 0; token < logits.size(); ++token)
      heap_.push_back({std::exp((logits[token] - largest) / temperature), TokenId(token)});
    std::make_heap(heap_.begin(), heap_.end(), less_probable);
  }

  struct WeightedToken {
    double weight = 0;
    TokenId token = 0;
  };
  std::size_t size() const { return taken_.size() + heap_.size(); }
  const WeightedToken& at(std::size_t rank) {
    while (taken_.size() <= rank) {
      std::pop_heap(heap_.begin(), heap_.end(), less_probable);
      taken_.push_back(heap_.back());
      heap_.pop_back();
    }
    return taken_[rank];
  }
  double weight_of_first(std::size_t count) {
    double sum = 0;
    for (std::size_t rank = 0; rank < std::min(count, taken_.size()); ++rank) sum += taken_[rank].weight;
    if (count == size()) {
      for (const WeightedToken& one : heap_) sum += one.weight;
    } else {
      for (std::size_t rank = taken_.size(); rank < count; ++rank) sum += at(rank).weight;
    }
    return sum;
  }

 private:
  static bool less_probable(const WeightedToken& a, const WeightedToken& b) {
    return a.weight != b.weight ? a.weight < b.weight : a.token > b.token;
  }
  std::vector<WeightedToken> taken_;
  std::vector<WeightedToken> heap_;
};

// The inverse of the cumulative distribution at a number of 53 bits in [0, 1): the same on every platform,
// which std::discrete_distribution is not. The order of the cuts is transformers': temperature, top_k, top_p.
TokenId draw(const Distribution& distribution, const TokenSampling& sampling, std::mt19937_64& generator) {
  FallingTokens tokens(distribution, sampling.temperature);
  std::size_t kept = tokens.size();
  if (sampling.top_k > 0) kept = std::min(kept, std::size_t(sampling.top_k));
  double total = tokens.weight_of_first(kept);
  if (sampling.top_p < 1) {
    double sum = 0;
    std::size_t nucleus = 0;
    while (nucleus < kept && sum < sampling.top_p * total) sum += tokens.at(nucleus++).weight;
    kept = nucleus;
    total = sum;
  }
  const double mark = double(generator() >> 11) * 0x1p-53 * total;
  double sum = 0;
  for (std::size_t rank = 0; rank + 1 < kept; ++rank) {
    sum += tokens.at(rank).weight;
    if (mark < sum) return tokens.at(rank).token;
  }
  return tokens.at(kept - 1).token;
}

class SamplingPolicy : public DecodingPolicy {
 public:
  SamplingPolicy(Sequence sequence, PolicyLimits limits, const TokenSampling& sampling)
      : sequence_(std::move(sequence)),
        limits_(std::move(limits)),
        sampling_(sampling),
        generator_(sampling.seed) {}

  const Sequence& first() const override { return sequence_; }

  std::vector<Step> choose() override {
    if (length() >= limits_.max_new_tokens) return {};
    const Distribution distribution = sequence_.distribution();
    const TokenId token = sampling_.temperature == 0 ? distribution.most_probable().token
                                                     : draw(distribution, sampling_, generator_);
    answer_.token_ids.push_back(token);
    answer_.token_logprobs.push_back(distribution.logprob(token));
    if (const auto location = limits_.spread_of.location_of(token))
      answer_.locations.push_back({.location = *location,
                                   .logprob = answer_.token_logprobs.back(),
                                   .spread = location_spread(distribution.logits(), limits_.spread_of)});
    if (limits_.top_tokens > 0) {
      std::vector<TopToken>& top = answer_.top_tokens.emplace_back();
      for (const Candidate& candidate : distribution.best(limits_.top_tokens))
        top.push_back({.token = candidate.token, .logprob = candidate.logprob});
    }
    stopped_ = limits_.ends(token);
    if (stopped_ || length() == limits_.max_new_tokens) return {};
    return {{&sequence_, token}};
  }

  Answer answer() const override {
    Answer answer = answer_;
    answer.finish_reason = stopped_ ? FinishReason::kStop : FinishReason::kLength;
    return answer;
  }

 private:
  int length() const { return int(answer_.token_ids.size()); }

  Sequence sequence_;
  PolicyLimits limits_;
  TokenSampling sampling_;
  std::mt19937_64 generator_;
  Answer answer_;
  bool stopped_ = false;
};

}  // namespace

std::unique_ptr<DecodingPolicy> sampling_policy(Sequence sequence, PolicyLimits limits,
                                                const TokenSampling& sampling) {
  return std::make_unique<SamplingPolicy>(std::move(sequence), std::move(limits), sampling);
}

}  // namespace palisade
