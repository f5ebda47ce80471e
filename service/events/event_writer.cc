#include "service/events/event_writer.h"

#include <memory>
#include <optional>
#include <utility>

namespace palisade {

void EventWriter::hand_over(Message message) const {
  const auto shared = std::make_shared<const Message>(std::move(message));
  for (EventSink* const sink : sinks_) sink->take(shared);
}

void EventWriter::write(EventRecord record) {
  auto* const answer = std::get_if<AnswerRecord>(&record);
  std::vector<float> likeness = answer ? std::move(answer->likeness) : std::vector<float>();
  std::optional<RuleAnswer> judged;
  if (answer && !rules_.empty()) judged = RuleAnswer{.stream = answer->stream, .task = answer->task};
  Event event = event_of(std::move(record), node_, hashes_, treatment_);
  if (judged) {
    judged->time = event.time;
    judged->data = event.data;
  }
  Message message = book_.enter(std::move(event), wall_now());
  message.likeness = std::move(likeness);
  if (judged) judged->id = message.id;
  hand_over(std::move(message));
  if (judged) judge(*judged);
}

void EventWriter::judge(const RuleAnswer& answer) {
  const RuleBookOutcome outcome = rules_.take(answer);
  for (const Alert& alert : outcome.alerts) {
    hand_over(book_.enter({.kind = EventKind::kAlert,
                           .topic = alert_topic(alert.stream, alert.rule),
                           .source = stream_source(node_, alert.stream),
                           .subject = alert.stream,
                           .time = alert.time,
                           .data = to_json(alert)},
                          wall_now()));
  }
  for (const TaskAsked& asked : outcome.asked) {
    if (ask_) ask_(asked);
  }
}

void EventWriter::follow(std::vector<RuleSettings> rules, Ask ask) {
  rules_.change(std::move(rules));
  ask_ = std::move(ask);
}

void EventWriter::write(HeartbeatEvent heartbeat) {
  for (Message& message : book_.heartbeats(std::move(heartbeat), wall_now())) hand_over(std::move(message));
}

}  // namespace palisade
