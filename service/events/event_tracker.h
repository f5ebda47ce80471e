#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace palisade {

// What a subscriber learns from sequences: which events are repeats, and how many were lost on the way.
// Heartbeats also show what was lost after a topic's last event. One thread's.
class EventTracker {
 public:
  struct Loss {
    std::string topic;
    std::uint64_t events = 0;
  };
  struct Observation {
    bool repeat = false;
    std::vector<Loss> losses;
  };

  // Says of a topic that its events are subscribed to, so that heartbeats' word on it counts.
  using IsSubscribed = std::function<bool(std::string_view topic)>;
  explicit EventTracker(IsSubscribed subscribed) : subscribed_(std::move(subscribed)) {}

  // An event without id or sequence is new, and tells of no loss.
  Observation see(const std::string& topic, const Json& event);

 private:
  struct LastEvent {
    std::uint64_t sequence = 0;
    std::string id;
  };
  bool remembers(const std::string& topic) const;
  void compare(const Json& heartbeat, std::vector<Loss>& losses);

  const IsSubscribed subscribed_;
  std::map<std::string, LastEvent> topics_;
  bool heard_heartbeat_ = false;
};

}  // namespace palisade
