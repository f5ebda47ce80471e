#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "frames/frame.h"
#include "model/decoding/decoding.h"
#include "service/engine/engine_model.h"
#include "service/http/answer_schema.h"

namespace palisade {

// A chat of the openai clients, as PaliGemma is asked it: all pictures in order, and the last text of the
// user by the rule of `palisade ask`. What cannot be done is a UsageError; what has no meaning here is
// `ignored`.
struct ChatRequest {
  std::string model;
  std::string prompt;
  std::string task;
  std::vector<Frame> frames;
  int pictures_used = 0;
  std::optional<AnswerSchema> schema;  // then `prompt` is not asked
  std::vector<std::string> ignored;
  std::string notice;
  int max_tokens = 64;
  DecodingMethod method;
  std::vector<std::string> stops;
  bool stream = false;
  bool include_usage = false;
  bool logprobs = false;
  int top_logprobs = 0;
};

// Throws UsageError.
ChatRequest chat_request_of(const Json& body, const EngineModel& model);

// "ID", and "ID:caption", "ID:describe", "ID:answer", "ID:detect", which name the task themselves, for
// clients that send long instructions.
std::vector<std::string> chat_models(const std::string& id);

}  // namespace palisade
