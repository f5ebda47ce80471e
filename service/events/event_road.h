#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "service/events/event_book.h"
#include "service/events/event_record.h"
#include "service/events/event_sink.h"

namespace palisade {

struct EventRoadOptions {
  std::string node = "node-1";
  std::chrono::milliseconds heartbeat{2000};
  std::size_t queue_depth = 1000;  // records waiting to become events
  EventHistory history = {};       // numbering goes on from here
  FrameKeeper* keeper = nullptr;   // of the frames that answers saw; outlives the road
};

// What a heartbeat tells beside the sequences.
struct NodeStatus {
  std::map<std::string, StreamCounts> streams;
  std::optional<JournalStatus> journal;  // where there is one
};

// The only way from a reply or a report to subscribers. On a thread of its own it hashes the frames that an
// answer saw, numbers the event and hands it to every sink. publish() never waits. Any thread.
class EventRoad {
 public:
  // Called on the road's thread.
  using Status = std::function<NodeStatus()>;

  // The sinks outlive the road.
  EventRoad(EventRoadOptions options, std::vector<EventSink*> sinks, Status status = {});
  // Delivers everything that was published, and then a last heartbeat.
  ~EventRoad();
  EventRoad(const EventRoad&) = delete;
  EventRoad& operator=(const EventRoad&) = delete;

  // Drops and counts the oldest record where the queue is full, before it has a sequence number.
  void publish(EventRecord record);
  std::uint64_t unpublished() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace palisade
