#include "service/events/event_writer.h"

#include <memory>
#include <utility>

namespace palisade {

void EventWriter::hand_over(Message message) const {
  const auto shared = std::make_shared<const Message>(std::move(message));
  for (EventSink* const sink : sinks_) sink->take(shared);
}

void EventWriter::write(EventRecord record) {
  hand_over(book_.enter(event_of(std::move(record), node_, hashes_, keeper_), wall_now()));
}

void EventWriter::write(HeartbeatEvent heartbeat) {
  for (Message& message : book_.heartbeats(std::move(heartbeat), wall_now())) hand_over(std::move(message));
}

}  // namespace palisade
