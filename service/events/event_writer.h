#pragma once

#include <functional>
#include <string>
#include <vector>

#include "service/events/event_book.h"
#include "service/events/event_record.h"
#include "service/events/event_sink.h"
#include "tasks/rules/rule_book.h"

namespace palisade {

// Makes events of records, numbers them and hands them to every sink; rules make alerts of answers. One
// thread's.
class EventWriter {
 public:
  // The sinks and what the treatment names outlive the writer.
  EventWriter(const std::string& node, std::vector<EventSink*> sinks, EventHistory history = {},
              const AnswerTreatment& treatment = {})
      : node_(node), sinks_(std::move(sinks)), treatment_(treatment), book_(node, std::move(history)) {}

  void write(EventRecord record);
  // From now on by these rules; those that stay as they were go on where they are. `ask` is called where one
  // of them wants a task to be asked.
  using Ask = std::function<void(const TaskAsked&)>;
  void follow(std::vector<RuleSettings> rules, Ask ask);
  // Lets the rule of an alert go on where it left off.
  void restore(const Alert& last) { rules_.restore(last); }
  // With the last sequence of every topic filled in.
  void write(HeartbeatEvent heartbeat);

 private:
  void hand_over(Message message) const;
  void judge(const RuleAnswer& answer);

  const std::string node_;
  const std::vector<EventSink*> sinks_;
  const AnswerTreatment treatment_;
  EventBook book_;
  FrameHashes hashes_;
  RuleBook rules_;
  Ask ask_;
};

}  // namespace palisade
