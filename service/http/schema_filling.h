#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "service/http/answer_schema.h"
#include "service/http/question.h"

namespace palisade {

// An answer in the form of a schema.
struct FilledSchema {
  Json value;   // what was asked for
  Json fields;  // of each field that was asked: {"car.colour": {"prompt": ..., "p": 0.83}}
  int image_tokens = 0;
  std::size_t tokens = 0;  // said, in all fields
};

// How texts are asked: those of a chat.
struct TextDecoding {
  int max_tokens = 64;
  DecodingMethod method;
};

// Asks one field after the other about the same frames, whose images are encoded once, and calls `tell` with
// all of them. Where one cannot be answered, the exchange is answered with the reason. A choice's `p` is its
// probability among the choices, a text's the mean probability of its tokens; a field of kind kCertainty is
// the mean of the others'. False where too many people wait; then the exchange has been answered.
bool fill_schema(HttpApi& api, const std::shared_ptr<HttpExchange>& exchange, AnswerSchema schema,
                 std::vector<Frame> frames, TextDecoding decoding,
                 std::function<void(const FilledSchema&)> tell);

}  // namespace palisade
