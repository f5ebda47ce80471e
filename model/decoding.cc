#include "model/decoding.h"

#include <algorithm>
#include <cmath>

#include "model/error.h"

namespace palisade {
namespace {

struct Choice {
  TokenId token = 0;
  double logprob = 0;
};

Choice most_probable(std::span<const float> logits) {
  const auto best = std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(double(logit) - *best);
  if (!std::isfinite(sum) || !std::isfinite(*best)) {
    throw ModelError(
        "the model's logits are not finite: its weights or the input are damaged (try `palisade model "
        "verify`)");
  }
  return {TokenId(best - logits.begin()), -std::log(sum)};
}

bool ends(const ModelConfig& config, TokenId token) {
  return std::ranges::find(config.eos_tokens, token) != config.eos_tokens.end();
}

}  // namespace

std::string_view name_of(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kDeadline:
      return "deadline";
    case FinishReason::kCancelled:
      return "cancelled";
  }
  return "";
}

Answer decode_greedy(const PaliGemma& model, Sequence& sequence, const DecodingOptions& options) {
  Answer answer;
  answer.finish_reason = FinishReason::kLength;
  while (int(answer.token_ids.size()) < options.max_new_tokens) {
    if (options.cancelled && options.cancelled()) {
      answer.finish_reason = FinishReason::kCancelled;
      break;
    }
    if (options.deadline && std::chrono::steady_clock::now() >= *options.deadline) {
      answer.finish_reason = FinishReason::kDeadline;
      break;
    }
    const Choice choice = most_probable(sequence.logits());
    answer.token_ids.push_back(choice.token);
    answer.logprob += choice.logprob;
    if (!options.ignore_eos && ends(model.config(), choice.token)) {
      answer.finish_reason = FinishReason::kStop;
      break;
    }
    if (int(answer.token_ids.size()) == options.max_new_tokens) break;
    Sequence* const stepped = &sequence;
    model.step({&stepped, 1}, {&choice.token, 1});
  }
  answer.text = model.tokenizer().decode(answer.token_ids);
  return answer;
}

}  // namespace palisade
