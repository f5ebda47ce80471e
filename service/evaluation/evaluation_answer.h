#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "service/engine/request.h"
#include "service/evaluation/evaluation_lines.h"

namespace palisade {

// What a model said about a line of the data: a line of predictions.jsonl.
struct EvaluationAnswer {
  std::string id;
  std::string text;    // as decoded, not stripped
  double logprob = 0;  // natural, of the whole answer
  int tokens = 0;      // with the <eos> that ended it
  std::string finish_reason;
  // Of each well-formed box of the text, in order: the mean probability of its location tokens.
  std::vector<double> box_confidences;
  AnswerTiming timing;
  int images_encoded = 0;  // for this answer; those of others were there already
  std::string error;       // why there is no answer, where it failed; it counts as the empty text
};

EvaluationAnswer evaluation_answer_of(const std::string& id, const Reply& reply);

// `line` adds what people want to read beside it: place, prompt, pictures.
Json to_json(const EvaluationAnswer& answer, const EvaluationLine& line);
// Throws Error, which begins with `what`.
EvaluationAnswer evaluation_answer_of(const Json& json, const std::string& what);

}  // namespace palisade
