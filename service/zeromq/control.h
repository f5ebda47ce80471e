#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "service/zeromq/control_request.h"

namespace palisade {

// The service's side of the control endpoint, ZeroMQ REQ/REP: a request is the JSON object of a
// ControlRequest, the reply {"done": true} or {"error": "no stream 'frontdoor'; known are front_door"}.
// `handle` runs on this object's thread and returns what is wrong with a request, or nothing.
class Control {
 public:
  using Handle = std::function<std::optional<std::string>(const ControlRequest&)>;
  // Throws Unavailable if the endpoint cannot be bound.
  Control(const std::string& endpoint, Handle handle);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  const std::string& endpoint() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The client's side: sends a request and waits for the reply. Returns the reply's error, or nothing. Throws
// Unavailable if no service answers.
std::optional<std::string> send_control(const std::string& endpoint, const ControlRequest& request,
                                        std::chrono::milliseconds patience);

}  // namespace palisade
