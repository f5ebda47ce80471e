#include "service/events/event_writer.h"

#include <memory>
#include <utility>

namespace palisade {

void EventWriter::hand_over(Message message) const {
  const auto shared = std::make_shared<const Message>(std::move(message));
  for (EventSink* const sink : sinks_) sink->take(shared);
}

void EventWriter::write(EventRecord record) {
  auto* const answer = std::get_if<AnswerRecord>(&record);
  std::vector<float> likeness = answer ? std::move(answer->likeness) : std::vector<float>();
  Message message = book_.enter(event_of(std::move(record), node_, hashes_, keeper_), wall_now());
  message.likeness = std::move(likeness);
  hand_over(std::move(message));
}

void EventWriter::write(HeartbeatEvent heartbeat) {
  for (Message& message : book_.heartbeats(std::move(heartbeat), wall_now())) hand_over(std::move(message));
}

}  // namespace palisade
