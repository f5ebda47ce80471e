#pragma once

#include <span>
#include <vector>

#include "model/token_id.h"

namespace palisade {

// What one pass over a row of logits tells: all that choosing the next token needs of the whole vocabulary.
// The same to the last bit on every instruction set; `log_sum` within 1e-6 of a sum in double.
struct LogitScan {
  static constexpr int kBlock = 1024;

  bool finite = false;              // where not, nothing else is set
  TokenId most_probable = 0;        // of several the lowest
  double log_sum = 0;               // logarithm of the sum of all exp(logit)
  std::vector<float> block_maxima;  // of kBlock logits each; the last block may be shorter
};

// `logits` are at least one.
LogitScan scan_logits(std::span<const float> logits);
// Bounds them by softcap(), in place, and scans what that makes of them; `finite` is of what they were.
LogitScan bound_and_scan(std::span<float> logits, float cap);

}  // namespace palisade
