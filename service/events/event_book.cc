#include "service/events/event_book.h"

#include <utility>

namespace palisade {
namespace {

// 200 topics of the greatest length stay well below an event's limit.
constexpr std::size_t kTopicsPerHeartbeat = 200;

}  // namespace

Message EventBook::enter(Event event, WallTime now) {
  event.id = ids_.next(now);
  event.sequence = ++sequences_[event.topic];
  return {.kind = event.kind,
          .topic = event.topic,
          .json = to_json_line(event),
          .id = event.id,
          .sequence = event.sequence};
}

Message EventBook::enter_heartbeat(const HeartbeatEvent& heartbeat, WallTime now) {
  return enter({.kind = EventKind::kHeartbeat,
                .topic = std::string(kHeartbeatTopic),
                .source = "palisade://" + node_ + "/service",
                .subject = "service",
                .time = now,
                .data = to_json(heartbeat)},
               now);
}

std::vector<Message> EventBook::heartbeats(HeartbeatEvent heartbeat, WallTime now) {
  std::map<std::string, std::uint64_t> untold = sequences_;
  untold.erase(std::string(kHeartbeatTopic));  // its sequence is in the envelope
  std::vector<Message> messages;
  do {
    heartbeat.sequences.clear();
    while (!untold.empty() && heartbeat.sequences.size() < kTopicsPerHeartbeat) {
      heartbeat.sequences.insert(untold.extract(untold.begin()));
    }
    messages.push_back(enter_heartbeat(heartbeat, now));
    heartbeat.streams.clear();
  } while (!untold.empty());
  return messages;
}

}  // namespace palisade
