#pragma once

#include <string>

namespace palisade {

// A request to a running service, sent as one JSON object:
// {"do": "ask_now", "stream": "front_door", "task": "pair"}.
struct ControlRequest {
  std::string action;  // "ask_now" or "take_reference"
  std::string stream;
  std::string task;
};

// Throws Error if the text is not such an object or has an unknown key.
ControlRequest control_request_of(const std::string& text);
std::string json_text(const ControlRequest& request);

}  // namespace palisade
