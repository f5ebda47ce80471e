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
#include "service/events/event_writer.h"

namespace palisade {

struct EventRoadOptions {
  std::string node = "node-1";
  std::chrono::milliseconds heartbeat{2000};
  std::size_t queue_depth = 1000;  // records waiting to become events
  EventHistory history = {};       // numbering goes on from here
  AnswerTreatment treatment = {};  // what it names outlives the road
  std::vector<RuleSettings> rules = {};
  std::vector<Alert> alerts = {};  // the newest of each rule, which goes on from there
  EventWriter::Ask ask = {};       // what a rule wants to be asked; called on the road's thread
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
  // From now on by these rules. Any thread.
  void follow(std::vector<RuleSettings> rules);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace palisade
