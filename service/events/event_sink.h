#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tasks/events/event.h"

namespace palisade {

// A numbered event as JSON.
struct Message {
  EventKind kind = EventKind::kAnswer;
  std::string topic;
  std::string json;  // one line
  std::string id = {};
  std::uint64_t sequence = 0;
  std::vector<float> likeness =
      {};  // of an answer's last frame, where it was asked for; not part of the JSON
};
using SharedMessage = std::shared_ptr<const Message>;

// Receives numbered events. take() is called with every event in order, by one thread, and must return at
// once: a slow sink has a SinkQueue and a thread of its own.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void take(const SharedMessage& message) = 0;
};

}  // namespace palisade
