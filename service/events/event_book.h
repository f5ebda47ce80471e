#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/ulid.h"
#include "service/events/event_sink.h"
#include "tasks/events/event.h"
#include "tasks/events/state_event.h"

namespace palisade {

// Where numbering left off when the service last ran.
struct EventHistory {
  std::map<std::string, std::uint64_t> sequences;  // last of every topic
  std::string id;                                  // the greatest; empty: none
};

// Gives events ids and sequence numbers, which have no gaps within a topic, and writes heartbeats. Used by
// one thread.
class EventBook {
 public:
  explicit EventBook(std::string node, EventHistory history = {})
      : node_(std::move(node)), ids_(history.id), sequences_(std::move(history.sequences)) {}

  Message enter(Event event, WallTime now);
  // One heartbeat, or several where there are too many topics for one event.
  std::vector<Message> heartbeats(HeartbeatEvent heartbeat, WallTime now);

 private:
  Message enter_heartbeat(const HeartbeatEvent& heartbeat, WallTime now);

  const std::string node_;
  UlidSource ids_;
  std::map<std::string, std::uint64_t> sequences_;
};

}  // namespace palisade
