// The exact probability of each of a few answers, however it is spelt, without a decoding step.
#include <algorithm>
#include <cmath>
#include <map>

#include "base/format.h"
#include "model/decoding/decoding_policy.h"
#include "model/error.h"

namespace palisade {
namespace {

double sum_of(const std::vector<double>& logprobs) {
  double sum = 0;
  for (const double logprob : logprobs) sum += logprob;
  return sum;
}

// The logarithm of the sum of all exp().
double log_sum(const std::vector<double>& logs) {
  const double largest = std::ranges::max(logs);
  double sum = 0;
  for (const double log : logs) sum += std::exp(log - largest);
  return largest + std::log(sum);
}

// Knows its answer from the start.
class SpelledChoicePolicy : public DecodingPolicy {
 public:
  SpelledChoicePolicy(Sequence prefilled, Answer answer)
      : prefilled_(std::move(prefilled)), answer_(std::move(answer)) {}

  const Sequence& first() const override { return prefilled_; }
  std::vector<Step> choose() override { return {}; }
  Answer answer() const override { return answer_; }

 private:
  Sequence prefilled_;
  Answer answer_;
};

}  // namespace

std::vector<std::vector<ChoiceTokens>> tokenise(const SpelledChoices& given, const PaliGemma& model) {
  std::vector<std::vector<ChoiceTokens>> choices;
  std::map<std::vector<TokenId>, std::size_t> owners;  // which choice is spelt so
  for (const SpelledChoice& choice : given.choices) {
    auto& spellings = choices.emplace_back();
    for (const std::string& spelling : choice.spellings) {
      const ChoiceTokens tokens = tokenise(Choices{{spelling}}, model).front();
      const auto [owner, is_new] = owners.emplace(tokens.token_ids, choices.size());
      if (owner->second != choices.size())
        throw ModelError(format(
            "two choices are both spelt \"{}\"; give choices that differ in more than case", spelling));
      if (is_new) spellings.push_back(tokens);
    }
  }
  return choices;
}

Continuations continuations_of(const std::vector<std::vector<ChoiceTokens>>& choices) {
  Continuations continuations;
  for (const auto& spellings : choices) {
    for (const ChoiceTokens& spelling : spellings) continuations.push_back(spelling.token_ids);
  }
  return continuations;
}

std::unique_ptr<DecodingPolicy> spelled_choice_policy(Sequence sequence, const SpelledChoices& given,
                                                      std::vector<std::vector<ChoiceTokens>> choices,
                                                      std::vector<std::vector<double>> logprobs) {
  if (logprobs.size() != continuations_of(choices).size())
    throw ModelError("choices of several spellings are scored by their prefill; use begin_scoring");
  Answer answer;
  std::vector<double> sums;
  double best = -INFINITY;  // of the likeliest choice
  std::size_t next = 0;     // of logprobs
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const std::size_t first = next;
    std::vector<double> own;
    for (std::size_t k = 0; k < choices[i].size(); ++k) own.push_back(sum_of(logprobs[next++]));
    const double sum = log_sum(own);
    sums.push_back(sum);
    answer.choices.push_back({.text = given.choices[i].text, .logprob = sum});
    if (sum <= best) continue;
    best = sum;
    const auto likeliest = std::size_t(std::ranges::max_element(own) - own.begin());
    answer.text = given.choices[i].text;
    answer.token_ids = choices[i][likeliest].token_ids;
    answer.token_logprobs = logprobs[first + likeliest];
  }
  const double total = log_sum(sums);
  for (ScoredChoice& choice : answer.choices) choice.p = std::exp(choice.logprob - total);
  return std::make_unique<SpelledChoicePolicy>(std::move(sequence), std::move(answer));
}

}  // namespace palisade
