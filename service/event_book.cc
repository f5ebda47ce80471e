#include "service/event_book.h"

#include <utility>

namespace palisade {
namespace {

// Two hundred of the longest topics, with as many of the longest stream names, stay well below an event's
// limit.
constexpr std::size_t kTopicsPerHeartbeat = 200;

}  // namespace

Message EventBook::enter(Event event, WallTime now) {
  event.id = ids_.next(now);
  event.sequence = ++sequences_[event.topic];
  Message message{event.topic, to_json_line(event)};
  if (event.kind == EventKind::kState) states_[event.topic] = message.json;
  return message;
}

std::vector<Message> EventBook::states(std::string_view prefix) const {
  std::vector<Message> found;
  for (auto state = states_.lower_bound(std::string(prefix)); state != states_.end(); ++state) {
    if (!state->first.starts_with(prefix)) break;
    found.push_back({state->first, state->second});
  }
  return found;
}

std::vector<Message> EventBook::heartbeats(HeartbeatEvent heartbeat, WallTime now) {
  std::vector<Message> messages;
  auto topic = sequences_.begin();
  do {
    heartbeat.sequences.clear();
    for (; topic != sequences_.end() && heartbeat.sequences.size() < kTopicsPerHeartbeat; ++topic) {
      heartbeat.sequences.insert(*topic);
    }
    messages.push_back(enter({.kind = EventKind::kHeartbeat,
                              .topic = std::string(kHeartbeatTopic),
                              .source = "palisade://" + node_ + "/service",
                              .subject = "service",
                              .time = now,
                              .data = to_json(heartbeat)},
                             now));
    heartbeat.streams.clear();
  } while (topic != sequences_.end());
  return messages;
}

}  // namespace palisade
