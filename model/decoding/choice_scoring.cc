// The exact probability of each of a few texts as the whole answer.
#include <algorithm>
#include <cmath>
#include <list>
#include <set>

#include "model/decoding/decoding_policy.h"
#include "model/error.h"
#include "model/paligemma/distribution.h"

namespace palisade {
namespace {

class ChoicePolicy : public DecodingPolicy {
 public:
  ChoicePolicy(Sequence prefilled, PolicyLimits limits, std::vector<ChoiceTokens> choices)
      : prefilled_(std::move(prefilled)),
        limits_(std::move(limits)),
        choices_(std::move(choices)),
        logprobs_(choices_.size()) {}

  const Sequence& first() const override { return prefilled_; }

  std::vector<Step> choose() override {
    for (ChoiceInProgress& scored : running_) score_next(scored.choice, scored.sequence);
    running_.remove_if([this](const ChoiceInProgress& scored) { return is_scored(scored.choice); });
    while (int(running_.size()) < kChoicesAtOnce && begun_ < choices_.size()) {
      const std::size_t choice = begun_++;
      score_next(choice, prefilled_);
      running_.push_back({choice, prefilled_.fork()});
    }
    std::vector<Step> steps;
    for (ChoiceInProgress& scored : running_) {
      const std::size_t seen = logprobs_[scored.choice].size();
      steps.push_back({&scored.sequence, choices_[scored.choice].token_ids[seen - 1]});
    }
    return steps;
  }

  Answer answer() const override {
    Answer answer;
    for (std::size_t choice = 0; choice < choices_.size(); ++choice) {
      if (!is_scored(choice)) return {};  // was interrupted: no choice can be compared
      double sum = 0;
      for (const double logprob : logprobs_[choice]) sum += logprob;
      answer.choices.push_back({.text = choices_[choice].text, .logprob = sum});
    }
    const auto best = std::ranges::max_element(answer.choices, {}, &ScoredChoice::logprob);
    const double largest = best->logprob;
    double total = 0;
    for (const ScoredChoice& choice : answer.choices) total += std::exp(choice.logprob - largest);
    for (ScoredChoice& choice : answer.choices) choice.p = std::exp(choice.logprob - largest) / total;
    const auto chosen = std::size_t(best - answer.choices.begin());
    answer.token_ids = choices_[chosen].token_ids;
    answer.token_logprobs = logprobs_[chosen];
    return answer;
  }

 private:
  // A choice being stepped: `sequence` has seen all its tokens but those still without a log-probability.
  struct ChoiceInProgress {
    std::size_t choice;
    Sequence sequence;
  };

  bool is_scored(std::size_t choice) const {
    return logprobs_[choice].size() == choices_[choice].token_ids.size();
  }
  void score_next(std::size_t choice, const Sequence& sequence) {
    const TokenId next = choices_[choice].token_ids[logprobs_[choice].size()];
    logprobs_[choice].push_back(sequence.distribution().logprob(next));
  }

  Sequence prefilled_;
  PolicyLimits limits_;
  std::vector<ChoiceTokens> choices_;
  std::vector<std::vector<double>> logprobs_;  // of every choice, of the tokens scored so far
  std::list<ChoiceInProgress> running_;        // a list: steps point into it
  std::size_t begun_ = 0;
};

}  // namespace

std::vector<ChoiceTokens> tokenise(const Choices& choices, const PaliGemma& model) {
  if (choices.texts.empty()) throw ModelError("there is no choice to choose from; give at least one");
  std::vector<ChoiceTokens> tokenised;
  std::set<std::vector<TokenId>> seen;
  for (const std::string& text : choices.texts) {
    std::vector<TokenId> ids = model.tokenizer().encode(text);
    if (ids.empty())
      throw ModelError("choice \"" + text + "\" tokenises to nothing; give a text that can be said");
    ids.push_back(model.config().eos_tokens.front());
    if (!seen.insert(ids).second) throw ModelError("choice \"" + text + "\" is given twice; give it once");
    tokenised.push_back({text, std::move(ids)});
  }
  return tokenised;
}

std::unique_ptr<DecodingPolicy> choice_policy(Sequence sequence, PolicyLimits limits,
                                              std::vector<ChoiceTokens> choices) {
  return std::make_unique<ChoicePolicy>(std::move(sequence), std::move(limits), std::move(choices));
}

}  // namespace palisade
