#include "model/text/location_tokens.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/json.h"
#include "ingest/pictures/picture.h"
#include "model/decoding/generation.h"
#include "tests/model/reference_model.h"

using namespace palisade;

TEST_CASE("the location tokens of a vocabulary are those that it spells so") {
  const ReferenceModel reference;
  const LocationTokens tokens = reference.model.location_tokens();
  REQUIRE(tokens.first > 0);
  CHECK(reference.model.tokenizer().piece(tokens.first + 17) == "<loc0017>");
  CHECK(tokens.location_of(tokens.first) == 0);
  CHECK(tokens.location_of(tokens.first + 1023) == 1023);
  CHECK_FALSE(tokens.location_of(tokens.first - 1));
  CHECK_FALSE(tokens.location_of(tokens.first + 1024));
  CHECK_FALSE(LocationTokens{}.location_of(0));
}

TEST_CASE("a spread is the standard deviation among the locations alone") {
  const LocationTokens tokens{.first = 3};
  std::vector<float> logits(3 + LocationTokens::kCount + 2, -1000);
  logits[0] = 50;  // no location
  logits[3 + 100] = logits[3 + 300] = 7;
  CHECK(location_spread(logits, tokens) == doctest::Approx(100));
  logits[3 + 300] = 7 + std::log(3.0f);
  CHECK(location_spread(logits, tokens) == doctest::Approx(200 * std::sqrt(0.25 * 0.75)));
  logits[3 + 100] = -1000;
  CHECK(location_spread(logits, tokens) == 0);
}

TEST_CASE(
    "an answer's locations have the probabilities of its tokens, and spreads where they are asked for") {
  const auto world = std::filesystem::path(PALISADE_SOURCE_DIR) / "tests/golden/world";
  const PaliGemma model(world / "model");
  const LocationTokens tokens = model.location_tokens();
  int boxes = 0;
  for (const Json& still : read_json(world / "stills.json")) {
    const Image image = read_picture(world / still["file"].get<std::string>());
    const auto features = model.encode({&image, 1});
    for (const Json& question : still["questions"]) {
      const auto asked = question["prompt"].get<std::string>();
      if (!asked.starts_with("detect")) continue;
      const auto prompt = model.prompt_ids(asked);
      const Answer plain = decode(model, model.prefill(features, prompt, 64), {});
      const Answer spread = decode(model, model.prefill(features, prompt, 64), {.location_spread = true});
      CHECK(plain.text == question["answer"]);
      CHECK(plain.token_ids == spread.token_ids);
      REQUIRE(plain.locations.size() == spread.locations.size());
      // Teacher forcing gives the logits that each token was chosen from, but for the first one.
      const Matrix logits = model.score(features, prompt, plain.token_ids);
      std::size_t next = 0;
      for (std::size_t i = 0; i < plain.token_ids.size(); ++i) {
        const auto location = tokens.location_of(plain.token_ids[i]);
        if (!location) continue;
        CHECK(plain.locations[next].location == *location);
        CHECK(plain.locations[next].logprob == plain.token_logprobs[i]);
        CHECK_FALSE(plain.locations[next].spread);
        REQUIRE(spread.locations[next].spread);
        if (i > 0)
          CHECK(*spread.locations[next].spread ==
                doctest::Approx(location_spread(logits.row(int(i) - 1), tokens)).epsilon(1e-3));
        ++next;
      }
      CHECK(next == plain.locations.size());
      boxes += int(next / 4);
    }
  }
  CHECK(boxes > 8);
}

TEST_CASE("the spread of beams and choices is refused") {
  const ReferenceModel reference;
  for (const DecodingMethod& method :
       {DecodingMethod(BeamSearch{.beams = 2}), DecodingMethod(Choices{{"a"}})})
    CHECK_THROWS_AS(reference.answer({.location_spread = true, .method = method}), Error);
}
