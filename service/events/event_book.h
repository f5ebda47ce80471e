#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ulid.h"
#include "tasks/events/event.h"
#include "tasks/events/state_event.h"

namespace palisade {

// An event as it goes on the wire.
struct Message {
  std::string topic;
  std::string json;
};

// The publisher's memory: numbers events per topic without gaps, keeps the last state of every stream for
// those who subscribe later, and writes heartbeats. One thread's.
class EventBook {
 public:
  explicit EventBook(std::string node) : node_(std::move(node)) {}

  Message enter(Event event, WallTime now);
  // The last states whose topic begins with `prefix`, as they were sent.
  std::vector<Message> states(std::string_view prefix) const;
  // One heartbeat, or several when there are too many topics for one event.
  std::vector<Message> heartbeats(HeartbeatEvent heartbeat, WallTime now);

 private:
  Message enter_heartbeat(const HeartbeatEvent& heartbeat, WallTime now);

  const std::string node_;
  UlidSource ids_;
  std::map<std::string, std::uint64_t> sequences_;
  std::map<std::string, std::string> states_;
};

}  // namespace palisade
