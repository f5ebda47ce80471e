#include "service/evaluation/evaluation_answer.h"

#include <cmath>

#include "base/error.h"
#include "base/format.h"
#include "tasks/boxes.h"

namespace palisade {
namespace {

// As events tell it (read_boxes() of tasks/reading.h).
std::vector<double> confidences_of(const Answer& answer) {
  constexpr std::size_t kEdges = 4;
  std::vector<double> confidences;
  for (const Box& box : read_boxes(answer.text).boxes) {
    double sum = 0;
    for (std::size_t i = 0; i < kEdges && box.first_location + i < answer.locations.size(); ++i)
      sum += std::exp(answer.locations[box.first_location + i].logprob);
    confidences.push_back(sum / kEdges);
  }
  return confidences;
}

double in_milliseconds(std::chrono::nanoseconds time) {
  return std::round(double(time.count()) / 1e3) / 1e3;
}

std::chrono::nanoseconds duration_at(const Json& json, const char* key) {
  return std::chrono::nanoseconds(std::int64_t(json.at(key).get<double>() * 1e6));
}

}  // namespace

EvaluationAnswer evaluation_answer_of(const std::string& id, const Reply& reply) {
  return {.id = id,
          .text = reply.answer.text,
          .logprob = reply.answer.logprob,
          .tokens = int(reply.answer.token_ids.size()),
          .finish_reason = std::string(name_of(reply.answer.finish_reason)),
          .box_confidences = confidences_of(reply.answer),
          .timing = reply.timing,
          .images_encoded = reply.images_encoded,
          .error = reply.error};
}

Json to_json(const EvaluationAnswer& answer, const EvaluationLine& line) {
  Json json = {{"id", line.json.at("id")},
               {"prediction", answer.text},
               {"prompt", line.line.prefix},
               {"p", std::exp(answer.logprob)},
               {"logprob", answer.logprob},
               {"tokens", answer.tokens},
               {"finish_reason", answer.finish_reason},
               {"line", line.line.number},
               {"images_encoded", answer.images_encoded},
               {"ms", Json{{"wait", in_milliseconds(answer.timing.wait)},
                           {"encode", in_milliseconds(answer.timing.encode)},
                           {"prefill", in_milliseconds(answer.timing.prefill)},
                           {"decode", in_milliseconds(answer.timing.decode)}}}};
  if (!answer.box_confidences.empty()) json["box_confidences"] = answer.box_confidences;
  if (!answer.error.empty()) json["error"] = answer.error;
  return json;
}

EvaluationAnswer evaluation_answer_of(const Json& json, const std::string& what) {
  try {
    const Json& times = json.at("ms");
    return {.id = json.at("id").is_string() ? json.at("id").get<std::string>() : json.at("id").dump(),
            .text = json.at("prediction").get<std::string>(),
            .logprob = json.at("logprob").get<double>(),
            .tokens = json.at("tokens").get<int>(),
            .finish_reason = json.at("finish_reason").get<std::string>(),
            .box_confidences = json.value("box_confidences", std::vector<double>()),
            .timing = {.wait = duration_at(times, "wait"),
                       .encode = duration_at(times, "encode"),
                       .prefill = duration_at(times, "prefill"),
                       .decode = duration_at(times, "decode")},
            .images_encoded = json.at("images_encoded").get<int>(),
            .error = json.value("error", std::string())};
  } catch (const Json::exception& problem) {
    throw Error(what + ": is no answer of an evaluation (" + problem.what() + ")");
  }
}

}  // namespace palisade
