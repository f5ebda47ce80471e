#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/decoding/decoding.h"
#include "model/decoding/decoding_policy.h"
#include "model/paligemma/paligemma.h"

namespace palisade {

// What a request will take beside its prompt, so that room can be found before the prefill.
struct GenerationNeeds {
  int new_positions = 0;  // PaliGemma::prefill's max_new_tokens
  int sequences = 1;      // KV caches held at the same time, at most
  // SpelledChoices: what its prefill is to score (PaliGemma::begin_scoring); else none.
  Continuations continuations = {};
};
// Throws ModelError where the method cannot be used: a choice that tokenises to nothing or is given twice, a
// number out of range.
GenerationNeeds needs_of(const PaliGemma& model, const DecodingOptions& options);

// One request while it is being answered: its sequences and the policy that looks at their logits. Turn by
// turn: choose(); while not done(), PaliGemma::step what is pending(), alone or with others' in one batch,
// and choose() again. Belongs to the thread that steps the model, which must outlive it.
class Generation {
 public:
  // `prefilled` with needs_of(options).new_positions; `scored` are the log-probabilities of its
  // continuations, where it has some. Throws as needs_of.
  Generation(const PaliGemma& model, Sequence prefilled, DecodingOptions options,
             std::vector<std::vector<double>> scored = {});

  // Decides the next tokens, or that the answer is complete; ends at a deadline or where it was cancelled.
  // Throws ModelError when logits are not finite: this generation is over then, others are not touched.
  void choose();
  bool done() const { return done_; }
  // Tokens that must be stepped before the next choose(); empty when done. Valid until that call.
  std::span<const Step> pending() const { return pending_; }
  // The answer so far; complete where done().
  Answer finish() const;
  // Its text alone.
  std::string text() const;

 private:
  std::optional<FinishReason> interruption() const;

  const PaliGemma& model_;
  DecodingOptions options_;
  std::unique_ptr<DecodingPolicy> policy_;
  std::vector<Step> pending_;
  std::optional<FinishReason> interrupted_;
  Verdict yes_no_;
  Verdict true_false_;
  int steps_ = 0;
  bool begun_ = false;
  bool done_ = false;
};

// Steps everything that is pending in one batch.
void step_all(const PaliGemma& model, std::span<Generation* const> generations);

// One request from its prefill to its answer, of any method but SpelledChoices. Throws ModelError.
Answer decode(const PaliGemma& model, Sequence prefilled, const DecodingOptions& options);

}  // namespace palisade
