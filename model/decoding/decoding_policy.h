#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "model/decoding/decoding.h"
#include "model/paligemma/paligemma.h"
#include "model/text/location_tokens.h"

namespace palisade {

// A token that a sequence is to be stepped with.
struct Step {
  Sequence* sequence = nullptr;
  TokenId token = 0;
};

// How one request's answer is found in its sequences' logits; owns the sequences. The variants are
// DecodingMethod's.
class DecodingPolicy {
 public:
  virtual ~DecodingPolicy() = default;
  // The sequence that the request begins with.
  virtual const Sequence& first() const = 0;
  // Reads the logits and says what to step next; nothing when the answer is complete. Throws ModelError when
  // logits are not finite.
  virtual std::vector<Step> choose() = 0;
  // The best answer so far. Without texts and verdicts, which are the same for all.
  virtual Answer answer() const = 0;
};

// A text to score, as tokens with <eos> at the end.
struct ChoiceTokens {
  std::string text;
  std::vector<TokenId> token_ids;
};
// Throws ModelError naming a choice that tokenises to nothing or is given twice, or that there is none.
std::vector<ChoiceTokens> tokenise(const Choices& choices, const PaliGemma& model);
// Choices are stepped this many at a time, so that a long list needs no more memory than a beam search.
inline constexpr int kChoicesAtOnce = 8;

// All spellings as continuations of a prompt, choice by choice. Throws ModelError where one tokenises to
// nothing, or two choices are spelt alike; a spelling that a choice has twice counts once.
std::vector<std::vector<ChoiceTokens>> tokenise(const SpelledChoices& choices, const PaliGemma& model);
Continuations continuations_of(const std::vector<std::vector<ChoiceTokens>>& choices);

// What every policy needs of the request's options. `eos` is empty where <eos> does not end an answer.
struct PolicyLimits {
  int max_new_tokens = 64;
  int top_tokens = 0;
  std::vector<TokenId> eos;
  LocationTokens spread_of = {};  // Answer::locations with spreads; without tokens, none is asked for

  bool ends(TokenId token) const { return std::ranges::find(eos, token) != eos.end(); }
};

std::unique_ptr<DecodingPolicy> sampling_policy(Sequence sequence, PolicyLimits limits,
                                                const TokenSampling& sampling);
std::unique_ptr<DecodingPolicy> beam_policy(Sequence sequence, PolicyLimits limits, const BeamSearch& search);
std::unique_ptr<DecodingPolicy> big_vision_beam_policy(Sequence sequence, PolicyLimits limits,
                                                       const BeamSearch& search);
std::unique_ptr<DecodingPolicy> choice_policy(Sequence sequence, PolicyLimits limits,
                                              std::vector<ChoiceTokens> choices);
// `logprobs` are those of continuations_of(), token by token.
std::unique_ptr<DecodingPolicy> spelled_choice_policy(Sequence sequence, const SpelledChoices& given,
                                                      std::vector<std::vector<ChoiceTokens>> choices,
                                                      std::vector<std::vector<double>> logprobs);

}  // namespace palisade
