#pragma once

#include <string>

namespace palisade {

// What a running service can be asked for from outside, as one JSON object:
// {"do": "ask_now", "stream": "front_door", "task": "pair"}.
struct ControlRequest {
  std::string action;  // "ask_now" or "take_reference"
  std::string stream;
  std::string task;
};

// Throws Error where the text is no such object, or has a key that is not known.
ControlRequest control_request_of(const std::string& text);
std::string json_text(const ControlRequest& request);

}  // namespace palisade
