#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/paligemma.h"

namespace palisade {

// Why a generation ended: the model said <eos>, max_new_tokens was reached, its deadline passed, or its asker
// left.
enum class FinishReason { kStop, kLength, kDeadline, kCancelled };
std::string_view name_of(FinishReason reason);

struct DecodingOptions {
  int max_new_tokens = 64;
  bool ignore_eos = false;  // go on to max_new_tokens (verification)
  std::optional<std::chrono::steady_clock::time_point> deadline;
  std::function<bool()> cancelled;  // asked before every token; may be empty
};

// What a model said. `token_ids` includes the <eos> that ended it; `text` does not. `logprob` is the sum of
// the tokens' natural log-probabilities.
struct Answer {
  std::vector<TokenId> token_ids;
  std::string text;
  double logprob = 0;
  FinishReason finish_reason = FinishReason::kStop;
};

// Always the most probable token. Throws ModelError when the logits are not finite.
Answer decode_greedy(const PaliGemma& model, Sequence& sequence, const DecodingOptions& options);

}  // namespace palisade
