#pragma once

#include <optional>
#include <span>
#include <vector>

#include "model/tokenizer.h"

namespace palisade {

// A token that may come next, and its natural log-probability.
struct Candidate {
  TokenId token = 0;
  double logprob = 0;
};

// What a model's logits say of the next token. A view of the logits unless they are soft-capped.
class Distribution {
 public:
  // `softcap`: Gemma 2's bound on the logits, cap * tanh(x / cap). Throws ModelError when a logit is not
  // finite.
  explicit Distribution(std::span<const float> logits, std::optional<float> softcap = std::nullopt);
  Distribution(const Distribution&) = delete;
  Distribution& operator=(const Distribution&) = delete;

  std::span<const float> logits() const { return logits_; }
  double logprob(TokenId token) const { return double(logits_[token]) - log_sum_; }
  Candidate most_probable() const;
  // Falling; of equals the lower id first. At most `count`.
  std::vector<Candidate> best(int count) const;

 private:
  std::vector<float> capped_;
  std::span<const float> logits_;
  double log_sum_ = 0;  // logarithm of the sum of all exp(logit)
};

}  // namespace palisade
