#include "model/decoding/verdict.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/json.h"
#include "model/error.h"
#include "tests/model/reference_model.h"

using namespace palisade;

TEST_CASE("a verdict sums the first tokens of every case variant, each once") {
  const ReferenceModel reference;
  const Answer answer = reference.answer({.max_new_tokens = 1});
  const Sequence sequence = reference.prefill(1);
  double whole = 0, yes = 0;
  for (const float logit : sequence.logits()) whole += std::exp(double(logit));
  std::vector<TokenId> counted;
  for (const char* const word : {"yes", "Yes", "YES"}) {
    const TokenId token = reference.model.tokenizer().encode(word).front();
    if (std::ranges::find(counted, token) != counted.end()) continue;
    counted.push_back(token);
    yes += std::exp(double(sequence.logits()[token])) / whole;
  }
  CHECK(answer.yes_no.affirmative == doctest::Approx(yes));
  CHECK(answer.yes_no.p_affirmative() + answer.yes_no.p_negative() == doctest::Approx(1));
}

TEST_CASE("a token that begins both sides is in neither") {
  const ReferenceModel reference;
  const auto both = verdict_tokens(reference.model.tokenizer(), {"left", "yes"}, {"left", "no"});
  const auto apart = verdict_tokens(reference.model.tokenizer(), {"yes"}, {"no"});
  CHECK(both.affirmative == apart.affirmative);
  CHECK(both.negative == apart.negative);
}

TEST_CASE("every way of decoding gives the same verdict") {
  const ReferenceModel reference;
  const Verdict greedy = reference.answer({.max_new_tokens = 2}).true_false;
  CHECK(greedy.mass() > 0);
  for (const DecodingMethod& method :
       {DecodingMethod(TokenSampling{.temperature = 3, .seed = 7}), DecodingMethod(BeamSearch{.beams = 2}),
        DecodingMethod(Choices{{"a", "b"}})}) {
    CHECK(reference.answer({.max_new_tokens = 2, .method = method}).true_false.affirmative ==
          doctest::Approx(greedy.affirmative));
  }
}

TEST_CASE("the street model's P(true) sides with the reference's answer to every statement about a pair") {
  const auto world = std::filesystem::path(PALISADE_SOURCE_DIR) / "tests/golden/world";
  const PaliGemma model(world / "model");
  int statements = 0;
  for (const Json& pair : read_json(world / "pairs.json")) {
    const std::string left = pair["files"][0], right = pair["files"][1];
    const Image images[] = {read_picture(world / left), read_picture(world / right)};
    const auto features = model.encode(images);
    for (const Json& question : pair["questions"]) {
      const std::string expected = question["answer"];
      if (expected != "true" && expected != "false") continue;
      const auto prompt = model.prompt_ids(question["prompt"].get<std::string>());
      const Answer answer = decode(model, model.prefill(features, prompt, 1), {.max_new_tokens = 1});
      CHECK((answer.true_false.p_affirmative() > 0.5) == (expected == "true"));
      CHECK(answer.true_false.mass() > 0.5);
      ++statements;
    }
  }
  CHECK(statements == 48);
}
