// Choices in several spellings, scored in the prefill: the same as when each is decoded token by token.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "model/error.h"
#include "tests/model/reference_model.h"

using namespace palisade;

namespace {

const SpelledChoices kChoices{{{.text = "yes", .spellings = {"yes", "Yes", "YES"}},
                               {.text = "no", .spellings = {"no", "No", "NO", "no"}},
                               {.text = "red", .spellings = {"a red square", "red, I think: 12"}}}};

Answer scored(const ReferenceModel& reference, const SpelledChoices& choices,
              const DecodingOptions& others = {}) {
  DecodingOptions options = others;
  options.method = choices;
  const GenerationNeeds needs = needs_of(reference.model, options);
  CHECK(needs.new_positions == 0);
  const auto prefill = reference.model.begin_scoring(
      reference.features, reference.model.prompt_ids("answer en x?"), needs.continuations);
  while (prefill->advance(1e5)) {
  }
  auto logprobs = prefill->continuation_logprobs(options.softcap);
  Generation generation(reference.model, prefill->finish(), options, std::move(logprobs));
  generation.choose();
  CHECK(generation.done());
  CHECK(generation.pending().empty());
  return generation.finish();
}

}  // namespace

TEST_CASE("a choice's probability is the sum of its spellings' as --choices gives them") {
  for (const char* const name : {"paligemma1-tiny", "paligemma2-tiny"}) {
    for (const std::optional<float> softcap : {std::optional<float>(), std::optional<float>(3.0f)}) {
      CAPTURE(name);
      const ReferenceModel reference(name);
      const Answer answer = scored(reference, kChoices, {.softcap = softcap});
      const Answer each = reference.answer(
          {.method = Choices{{"yes", "Yes", "YES", "no", "No", "NO", "a red square", "red, I think: 12"}},
           .softcap = softcap},
          "answer en x?");
      const std::vector<std::vector<std::size_t>> spelt = {{0, 1, 2}, {3, 4, 5}, {6, 7}};
      REQUIRE(answer.choices.size() == 3);
      double all = 0;
      for (std::size_t i = 0; i < spelt.size(); ++i) {
        double p = 0, whole = 0;
        for (const std::size_t k : spelt[i]) {
          p += each.choices[k].p;
          whole += std::exp(each.choices[k].logprob);
        }
        CHECK(answer.choices[i].text == kChoices.choices[i].text);
        CHECK(answer.choices[i].p == doctest::Approx(p).epsilon(1e-6));
        CHECK(answer.choices[i].logprob == doctest::Approx(std::log(whole)).epsilon(1e-6));
        all += answer.choices[i].p;
      }
      CHECK(all == doctest::Approx(1));
    }
  }
}

TEST_CASE("the likeliest choice is the answer, by the spelling that is the likeliest of its own") {
  const ReferenceModel reference;
  const Answer answer = scored(reference, kChoices);
  std::size_t best = 0;
  for (std::size_t i = 1; i < answer.choices.size(); ++i)
    if (answer.choices[i].p > answer.choices[best].p) best = i;
  CHECK(answer.text == answer.choices[best].text);
  CHECK(answer.token_ids.back() == reference.model.tokenizer().eos());
  CHECK(answer.token_logprobs.size() == answer.token_ids.size());
  double highest = -std::numeric_limits<double>::infinity();
  for (const std::string& spelling : kChoices.choices[best].spellings)
    highest = std::max(highest, reference.answer({.method = Choices{{spelling}}}, "answer en x?").logprob);
  CHECK(answer.logprob == doctest::Approx(highest).epsilon(1e-6));
  CHECK(answer.finish_reason == FinishReason::kStop);
  CHECK(answer.yes_no.mass() > 0);
}

TEST_CASE("a scored answer costs one prefill and no step, a decoded one its tokens") {
  const ReferenceModel reference;
  const LanguagePasses none = scored(reference, kChoices).passes;
  CHECK(none.prefill == 1);
  CHECK(none.decode == 0);
  const Answer decoded = reference.answer({.max_new_tokens = 5, .ignore_eos = true});
  CHECK(decoded.passes.prefill == 1);
  CHECK(decoded.passes.decode == 4);  // the first token is the prefill's
}

TEST_CASE("choices that are spelt alike or not at all are refused") {
  const ReferenceModel reference;
  const auto fault = [&](const SpelledChoices& choices) {
    CHECK_THROWS_AS(needs_of(reference.model, {.method = choices}), ModelError);
  };
  fault({});
  fault({{{.text = "a", .spellings = {}}}});
  fault({{{.text = "a", .spellings = {""}}}});
  fault({{{.text = "a", .spellings = {"a", "A"}}, {.text = "A", .spellings = {"A"}}}});
  // Whoever forgets to score them in the prefill is told.
  CHECK_THROWS_AS(reference.answer({.method = kChoices}), ModelError);
}
