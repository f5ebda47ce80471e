#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "service/remote/service_api.h"

namespace palisade {

// What a running service is asked about pictures, its newest pictures of one stream, or those of two.
struct RemoteQuestion {
  std::string words;
  std::string language = "en";
  std::vector<std::string> pictures;  // files
  std::vector<std::string> streams;
  std::string type;                  // empty: text
  std::vector<std::string> choices;  // empty: none
  std::optional<int> max_new_tokens;
};

// The answer, as an event's `data` has it. Throws Error, UsageError.
Json answer_of(const ServiceApi& service, const RemoteQuestion& question);

// "red (red 93.1 %, blue 6.9 %)"
std::string line_of_answer(const Json& answer);

}  // namespace palisade
