#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "service/events/event_record.h"
#include "service/events/event_sink.h"

namespace palisade {

struct EventRoadOptions {
  std::string node = "node-1";
  std::chrono::milliseconds heartbeat{2000};
  std::size_t queue_depth = 1000;  // records that wait to become events
};

// The one way from a reply or a report to whoever is told of it: hashes the frames that an answer saw,
// numbers the event, and hands it to every sink. Its own thread does so; publish() never waits. Any thread.
class EventRoad {
 public:
  // Fills in what a heartbeat says of the streams; called on the road's thread.
  using Status = std::function<std::map<std::string, StreamCounts>()>;

  // The sinks outlive the road.
  EventRoad(EventRoadOptions options, std::vector<EventSink*> sinks, Status status = {});
  // What was published reaches the sinks, and then a heartbeat that counts it.
  ~EventRoad();
  EventRoad(const EventRoad&) = delete;
  EventRoad& operator=(const EventRoad&) = delete;

  // Where the queue is full its oldest record is dropped before it has a number, and counted.
  void publish(EventRecord record);
  std::uint64_t unpublished() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace palisade
