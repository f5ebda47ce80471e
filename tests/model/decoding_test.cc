#include "model/decoding/decoding.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <numeric>
#include <random>

#include "base/format.h"
#include "model/error.h"
#include "model/paligemma/distribution.h"
#include "tests/model/reference_model.h"

using namespace palisade;

namespace {

constexpr int kNewTokens = 8;

Answer sampled(const ReferenceModel& reference, const TokenSampling& sampling) {
  return reference.answer({.max_new_tokens = kNewTokens, .ignore_eos = true, .method = sampling});
}

// Log-probability of a suffix by teacher forcing, the first token's from the prefill.
double scored(const ReferenceModel& reference, const std::vector<TokenId>& suffix) {
  const Sequence sequence = reference.prefill(1);
  double sum = Distribution(sequence.logits()).logprob(suffix.front());
  const Matrix logits =
      reference.model.score(reference.features, reference.model.prompt_ids("caption en"), suffix);
  for (std::size_t i = 1; i < suffix.size(); ++i)
    sum += Distribution(logits.row(int(i) - 1)).logprob(suffix[i]);
  return sum;
}

double sum_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

}  // namespace

TEST_CASE("the same seed draws the same tokens, another seed others") {
  const ReferenceModel reference;
  int different = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    const Answer first = sampled(reference, {.temperature = 1.5, .seed = seed});
    const Answer again = sampled(reference, {.temperature = 1.5, .seed = seed});
    CHECK(first.token_ids == again.token_ids);
    CHECK(first.logprob == again.logprob);
    different += first.token_ids != sampled(reference, {.temperature = 1.5, .seed = seed + 100}).token_ids;
  }
  CHECK(different >= 8);
}

TEST_CASE("a temperature towards nothing, the single most probable token and a tiny nucleus are greedy") {
  const ReferenceModel reference;
  const auto greedy = reference.answer({.max_new_tokens = kNewTokens, .ignore_eos = true}).token_ids;
  for (const TokenSampling& sampling :
       {TokenSampling{.temperature = 0}, TokenSampling{.temperature = 1e-6, .seed = 3},
        TokenSampling{.temperature = 1e-300, .seed = 3},
        TokenSampling{.temperature = 5, .top_k = 1, .seed = 3},
        TokenSampling{.temperature = 5, .top_p = 1e-9, .seed = 3}}) {
    CHECK(sampled(reference, sampling).token_ids == greedy);
  }
}

TEST_CASE("draws fall as the distribution says, and never outside of what was cut") {
  const ReferenceModel reference;
  Sequence prefilled = reference.prefill(1);
  const Distribution distribution(prefilled.logits());
  const auto best = distribution.best(3);
  double total = 0;
  for (const Candidate& one : best) total += std::exp(one.logprob);
  constexpr int kDraws = 2000;
  std::map<TokenId, int> drawn;
  for (std::uint64_t seed = 0; seed < kDraws; ++seed) {
    const DecodingOptions options{.max_new_tokens = 1, .method = TokenSampling{.top_k = 3, .seed = seed}};
    ++drawn[decode(reference.model, prefilled.fork(), options).token_ids.front()];
  }
  CHECK(drawn.size() <= 3);
  for (const Candidate& one : best) {
    const double p = std::exp(one.logprob) / total, deviation = std::sqrt(p * (1 - p) / kDraws);
    CAPTURE(p);
    CHECK(std::abs(double(drawn[one.token]) / kDraws - p) < 5 * deviation);
  }
}

TEST_CASE("the draw is the inverse of the cumulative distribution at the generator's upper 53 bits") {
  const ReferenceModel reference;
  Sequence prefilled = reference.prefill(1);
  const Distribution distribution(prefilled.logits());
  const auto all = distribution.best(int(prefilled.logits().size()));
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    CAPTURE(seed);
    const double mark = double(std::mt19937_64(seed)() >> 11) * 0x1p-53;
    double sum = 0;
    auto expected = all.begin();
    while ((sum += std::exp(expected->logprob)) <= mark) ++expected;
    if (std::abs(sum - mark) < 1e-9) continue;  // a tie of rounding
    const DecodingOptions options{.max_new_tokens = 1, .method = TokenSampling{.seed = seed}};
    CHECK(decode(reference.model, prefilled.fork(), options).token_ids.front() == expected->token);
  }
}

TEST_CASE("every token's log-probability is teacher forcing's, whatever the temperature") {
  for (const char* const name : {"paligemma1-tiny", "paligemma2-tiny"}) {
    // transformers applies the sliding window only while decoding, so the two agree only without it.
    const ReferenceModel reference(name, SlidingWindow::kNone);
    for (const DecodingMethod& method :
         {DecodingMethod(Greedy{}), DecodingMethod(TokenSampling{.temperature = 2, .seed = 11}),
          DecodingMethod(BeamSearch{.beams = 3})}) {
      const Answer answer = reference.answer({.max_new_tokens = kNewTokens, .method = method});
      REQUIRE(answer.token_logprobs.size() == answer.token_ids.size());
      CHECK(answer.logprob == doctest::Approx(sum_of(answer.token_logprobs)));
      CHECK(std::abs(answer.logprob - scored(reference, answer.token_ids)) < 1e-3);
    }
  }
}

TEST_CASE("one beam that stops when it is full is greedy") {
  const ReferenceModel reference;
  const DecodingMethod one = BeamSearch{.beams = 1, .early_stopping = EarlyStopping::kWhenFull};
  for (const char* const prompt : {"caption en", "answer en how many?", "detect circle"}) {
    const auto greedy = reference.answer({.max_new_tokens = 12}, prompt);
    CHECK(reference.answer({.max_new_tokens = 12, .method = one}, prompt).token_ids == greedy.token_ids);
  }
}

TEST_CASE("choices share one whole, and each has the log-probability of teacher forcing") {
  const ReferenceModel reference;
  Choices choices{.texts = {"yes", "no", "circle", "the left image", "3 circles and a square"}};
  for (int i = 0; i < 2 * kChoicesAtOnce; ++i) choices.texts.push_back(format("choice {}", i));
  const Answer answer = reference.answer({.method = choices});
  REQUIRE(answer.choices.size() == choices.texts.size());
  double total = 0, largest = -INFINITY;
  std::string best;
  for (std::size_t i = 0; i < choices.texts.size(); ++i) {
    const ScoredChoice& choice = answer.choices[i];
    CHECK(choice.text == choices.texts[i]);
    auto suffix = reference.model.tokenizer().encode(choice.text);
    suffix.push_back(reference.model.config().eos_tokens.front());
    CHECK(std::abs(choice.logprob - scored(reference, suffix)) < 1e-3);
    total += choice.p;
    if (choice.logprob > largest) {
      largest = choice.logprob;
      best = choice.text;
    }
  }
  CHECK(total == doctest::Approx(1));
  CHECK(answer.text == best);
  CHECK(answer.logprob == doctest::Approx(largest));
  CHECK(answer.finish_reason == FinishReason::kStop);
}

TEST_CASE("a choice that cannot be said, one given twice and no choice at all are refused by name") {
  const ReferenceModel reference;
  const auto refused = [&](std::vector<std::string> texts, const char* why) {
    const DecodingOptions options{.method = Choices{std::move(texts)}};
    CHECK_THROWS_WITH_AS(needs_of(reference.model, options), doctest::Contains(why), ModelError);
    CHECK_THROWS_AS(decode(reference.model, reference.prefill(8), options), ModelError);
  };
  refused({"yes", ""}, "choice \"\" tokenises to nothing");
  refused({"yes", "no", "yes"}, "choice \"yes\" is given twice");
  refused({}, "no choice");
  refused(std::vector<std::string>(65, "a"), "at most 64");
}

TEST_CASE("numbers out of range are refused before anything is decoded") {
  for (const DecodingMethod& method :
       {DecodingMethod(TokenSampling{.temperature = -1}), DecodingMethod(TokenSampling{.temperature = NAN}),
        DecodingMethod(TokenSampling{.top_k = -1}), DecodingMethod(TokenSampling{.top_p = 0}),
        DecodingMethod(TokenSampling{.top_p = 1.5}), DecodingMethod(BeamSearch{.beams = 0}),
        DecodingMethod(BeamSearch{.length_penalty = NAN})}) {
    CHECK(method_fault(method).has_value());
  }
  CHECK_FALSE(method_fault(Greedy{}).has_value());
}
