#pragma once

#include <span>
#include <vector>

#include "model/kernels/logit_scan.h"
#include "model/token_id.h"

namespace palisade {

// A token that may come next, and its natural log-probability.
struct Candidate {
  TokenId token = 0;
  double logprob = 0;
};

// What a model's logits say of the next token. A view of the logits.
class Distribution {
 public:
  // Throws ModelError when a logit is not finite.
  explicit Distribution(std::span<const float> logits) : Distribution(logits, scan_logits(logits)) {}
  // With what is known of them already.
  Distribution(std::span<const float> logits, LogitScan scan);

  std::span<const float> logits() const { return logits_; }
  double logprob(TokenId token) const { return double(logits_[token]) - scan_.log_sum; }
  Candidate most_probable() const { return {scan_.most_probable, logprob(scan_.most_probable)}; }
  // Falling; of equals the lower id first. At most `count`, of which a few take 10 us.
  std::vector<Candidate> best(int count) const;

 private:
  // At least `count` logits are as large, all of them where there are fewer.
  float bound_of_best(int count) const;

  std::span<const float> logits_;
  LogitScan scan_;
};

}  // namespace palisade
