#pragma once

#include <string>
#include <vector>

#include "service/events/event_book.h"
#include "service/events/event_record.h"
#include "service/events/event_sink.h"

namespace palisade {

// Makes events of records, numbers them and hands them to every sink. One thread's.
class EventWriter {
 public:
  // The sinks and the keeper, where there is one, outlive the writer.
  EventWriter(const std::string& node, std::vector<EventSink*> sinks, EventHistory history = {},
              FrameKeeper* keeper = nullptr)
      : node_(node), sinks_(std::move(sinks)), keeper_(keeper), book_(node, std::move(history)) {}

  void write(EventRecord record);
  // With the last sequence of every topic filled in.
  void write(HeartbeatEvent heartbeat);

 private:
  void hand_over(Message message) const;

  const std::string node_;
  const std::vector<EventSink*> sinks_;
  FrameKeeper* const keeper_;
  EventBook book_;
  FrameHashes hashes_;
};

}  // namespace palisade
