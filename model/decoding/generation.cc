#include "model/decoding/generation.h"

#include <algorithm>

#include "base/format.h"
#include "model/error.h"
#include "model/paligemma/distribution.h"

namespace palisade {
namespace {

void require_sound(const DecodingOptions& options) {
  if (const auto fault = method_fault(options.method)) throw ModelError(*fault);
  if (options.top_tokens < 0 || options.top_tokens > kMaxTopTokens)
    throw ModelError(format("the most probable tokens of a step are at most {}", kMaxTopTokens));
  if (options.location_spread && !is_token_by_token(options.method))
    throw ModelError(
        "the spread of locations is told of greedy decoding and sampling, not of beams or choices");
  if (options.top_tokens > 0 && !is_token_by_token(options.method))
    throw ModelError(
        "the most probable tokens of a step are told of greedy decoding and sampling, not of beams or "
        "choices");
}

struct MakePolicy {
  const PaliGemma& model;
  Sequence sequence;
  PolicyLimits limits;
  std::vector<std::vector<double>> scored;

  std::unique_ptr<DecodingPolicy> operator()(const Greedy&) {
    return sampling_policy(std::move(sequence), std::move(limits), {.temperature = 0});
  }
  std::unique_ptr<DecodingPolicy> operator()(const TokenSampling& sampling) {
    return sampling_policy(std::move(sequence), std::move(limits), sampling);
  }
  std::unique_ptr<DecodingPolicy> operator()(const BeamSearch& search) {
    const auto make = search.rules == BeamRules::kBigVision ? big_vision_beam_policy : beam_policy;
    return make(std::move(sequence), std::move(limits), search);
  }
  std::unique_ptr<DecodingPolicy> operator()(const Choices& choices) {
    return choice_policy(std::move(sequence), std::move(limits), tokenise(choices, model));
  }
  std::unique_ptr<DecodingPolicy> operator()(const SpelledChoices& choices) {
    return spelled_choice_policy(std::move(sequence), choices, tokenise(choices, model), std::move(scored));
  }
};

}  // namespace

GenerationNeeds needs_of(const PaliGemma& model, const DecodingOptions& options) {
  require_sound(options);
  GenerationNeeds needs{.new_positions = options.max_new_tokens};
  if (const auto* search = std::get_if<BeamSearch>(&options.method)) {
    // While the beams of one turn become those of the next, a fork may stand beside what it came from.
    needs.sequences = 2 * search->beams;
  } else if (const auto* given = std::get_if<Choices>(&options.method)) {
    const auto choices = tokenise(*given, model);
    needs.sequences = 1 + std::min<int>(kChoicesAtOnce, int(choices.size()));
    needs.new_positions = 0;
    for (const ChoiceTokens& choice : choices)
      needs.new_positions = std::max(needs.new_positions, int(choice.token_ids.size()));
  } else if (const auto* spelled = std::get_if<SpelledChoices>(&options.method)) {
    needs.new_positions = 0;
    needs.continuations = continuations_of(tokenise(*spelled, model));
  }
  return needs;
}

Generation::Generation(const PaliGemma& model, Sequence prefilled, DecodingOptions options,
                       std::vector<std::vector<double>> scored)
    : model_(model), options_(std::move(options)) {
  require_sound(options_);
  if (options_.softcap) prefilled.bound_logits(*options_.softcap);
  MakePolicy make{
      .model = model,
      .sequence = std::move(prefilled),
      .limits = {.max_new_tokens = options_.max_new_tokens,
                 .top_tokens = options_.top_tokens,
                 .eos = options_.ignore_eos ? std::vector<TokenId>{} : model.config().eos_tokens,
                 .spread_of = options_.location_spread ? model.location_tokens() : LocationTokens{}},
      .scored = std::move(scored)};
  policy_ = std::visit(make, options_.method);
}

std::optional<FinishReason> Generation::interruption() const {
  if (options_.cancelled && options_.cancelled()) return FinishReason::kCancelled;
  if (options_.deadline && std::chrono::steady_clock::now() >= *options_.deadline)
    return FinishReason::kDeadline;
  return std::nullopt;
}

void Generation::choose() {
  if (done_) return;
  pending_.clear();
  interrupted_ = interruption();
  done_ = true;  // also where this throws
  if (interrupted_) return;
  if (!begun_) {
    const Distribution first = policy_->first().distribution();
    yes_no_ = verdict_of(first, model_.yes_no_tokens());
    true_false_ = verdict_of(first, model_.true_false_tokens());
    begun_ = true;
  }
  pending_ = policy_->choose();
  done_ = pending_.empty();
  steps_ += done_ ? 0 : 1;
}

Answer Generation::finish() const {
  Answer answer = policy_->answer();
  if (interrupted_) answer.finish_reason = *interrupted_;
  for (const double logprob : answer.token_logprobs) answer.logprob += logprob;
  answer.passes = {.prefill = 1, .decode = steps_};
  // A choice that is spelt in several ways is named by one.
  if (answer.text.empty()) answer.text = model_.tokenizer().decode(answer.token_ids);
  for (auto& step : answer.top_tokens) {
    for (TopToken& top : step) top.text = model_.tokenizer().decode({&top.token, 1});
  }
  if (answer.locations.empty()) {  // else they have spreads already
    for (std::size_t i = 0; i < answer.token_ids.size(); ++i) {
      if (const auto location = model_.location_tokens().location_of(answer.token_ids[i]))
        answer.locations.push_back({.location = *location, .logprob = answer.token_logprobs[i]});
    }
  }
  answer.yes_no = yes_no_;
  answer.true_false = true_false_;
  return answer;
}

std::string Generation::text() const {
  return model_.tokenizer().decode(policy_->answer().token_ids);
}

void step_all(const PaliGemma& model, std::span<Generation* const> generations) {
  std::vector<Sequence*> sequences;
  std::vector<TokenId> tokens;
  for (const Generation* generation : generations) {
    for (const Step& step : generation->pending()) {
      sequences.push_back(step.sequence);
      tokens.push_back(step.token);
    }
  }
  if (!sequences.empty()) model.step(sequences, tokens);
}

Answer decode(const PaliGemma& model, Sequence prefilled, const DecodingOptions& options) {
  Generation generation(model, std::move(prefilled), options);
  Generation* const alone = &generation;
  for (generation.choose(); !generation.done(); generation.choose()) step_all(model, {&alone, 1});
  return generation.finish();
}

}  // namespace palisade
