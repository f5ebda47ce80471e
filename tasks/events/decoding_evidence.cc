#include "tasks/events/decoding_evidence.h"

#include <utility>

#include "base/error.h"

namespace palisade {
namespace {

struct Writing {
  Json operator()(const Greedy&) const { return {{"method", "greedy"}}; }
  Json operator()(const TokenSampling& sampling) const {
    return {{"method", "sampling"},
            {"temperature", sampling.temperature},
            {"top_k", sampling.top_k},
            {"top_p", sampling.top_p},
            {"seed", sampling.seed}};
  }
  Json operator()(const BeamSearch& search) const {
    return {{"method", "beams"}, {"beams", search.beams}, {"length_penalty", search.length_penalty}};
  }
  Json operator()(const Choices&) const { return {{"method", "choices"}}; }
  Json operator()(const SpelledChoices&) const { return {{"method", "choices"}}; }
};

DecodingMethod method_of(const Json& json, const Json& choices) {
  const auto name = json.at("method").get<std::string>();
  if (name == "greedy") return Greedy{};
  if (name == "sampling")
    return TokenSampling{.temperature = json.at("temperature").get<double>(),
                         .top_k = json.at("top_k").get<int>(),
                         .top_p = json.at("top_p").get<double>(),
                         .seed = json.at("seed").get<std::uint64_t>()};
  if (name == "beams")
    return BeamSearch{.beams = json.at("beams").get<int>(),
                      .length_penalty = json.at("length_penalty").get<double>()};
  if (name != "choices")
    throw Error("an answer was decoded by '" + name + "', which this Palisade does not know");
  Choices method;
  for (const Json& choice : choices) method.texts.push_back(choice.at("text").get<std::string>());
  return method;
}

}  // namespace

Json to_json(const DecodingEvidence& decoding) {
  Json json = std::visit(Writing{}, decoding.method);
  json["max_new_tokens"] = decoding.max_new_tokens;
  return json;
}

DecodingEvidence decoding_of(const Json& json, const Json& choices) {
  try {
    return {.method = method_of(json, choices), .max_new_tokens = json.at("max_new_tokens").get<int>()};
  } catch (const Json::exception& error) {
    throw Error(std::string("an event's \"decoding\" cannot be read: ") + error.what());
  }
}

}  // namespace palisade
