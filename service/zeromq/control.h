#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "service/zeromq/control_request.h"

namespace palisade {

// Requests come in on the control endpoint: ZeroMQ REQ/REP, each side one JSON object, a ControlRequest's and
// {"done": true} or {"error": "no stream 'frontdoor'; known are front_door"}.

// The service's end. `handle` runs on this object's thread and returns what is wrong, or nothing.
class Control {
 public:
  using Handle = std::function<std::optional<std::string>(const ControlRequest&)>;
  // Throws Unavailable where it cannot be bound.
  Control(const std::string& endpoint, Handle handle);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  const std::string& endpoint() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The other end: asks and waits. What was wrong, or nothing. Throws Unavailable where nobody answers.
std::optional<std::string> send_control(const std::string& endpoint, const ControlRequest& request,
                                        std::chrono::milliseconds patience);

}  // namespace palisade
