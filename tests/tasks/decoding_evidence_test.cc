#include "tasks/events/decoding_evidence.h"

#include <doctest/doctest.h>

#include "base/error.h"

using namespace palisade;

TEST_CASE("how an answer was decoded is written and read back") {
  const Json choices = {{{"text", "yes"}, {"p", 0.5}}, {{"text", "no"}, {"p", 0.5}}};
  for (const DecodingMethod& method :
       {DecodingMethod(Greedy{}),
        DecodingMethod(TokenSampling{.temperature = 0.7, .top_k = 5, .top_p = 0.9, .seed = ~0ull}),
        DecodingMethod(BeamSearch{.beams = 3, .length_penalty = 0.6}),
        DecodingMethod(Choices{{"yes", "no"}})}) {
    const Json json = to_json(DecodingEvidence{.method = method, .max_new_tokens = 17});
    const DecodingEvidence back = decoding_of(parse_json(json.dump(), "decoding"), choices);
    CHECK(back.max_new_tokens == 17);
    CHECK(to_json(back) == json);
    CHECK(back.method.index() == method.index());
  }
  CHECK(
      std::get<Choices>(decoding_of({{"method", "choices"}, {"max_new_tokens", 1}}, choices).method).texts ==
      std::vector<std::string>{"yes", "no"});
}

TEST_CASE("what is no decoding is refused") {
  for (const Json& json :
       {Json(), Json::object(), Json{{"method", "magic"}, {"max_new_tokens", 1}}, Json{{"method", "greedy"}},
        Json{{"method", "beams"}, {"max_new_tokens", 1}}, Json{{"method", 4}, {"max_new_tokens", 1}}})
    CHECK_THROWS_AS(decoding_of(json, Json()), Error);
}
