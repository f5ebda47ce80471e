#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "tasks/events/event.h"
#include "tasks/events/state_event.h"

namespace palisade {

struct PublisherOptions {
  std::string endpoint;  // "tcp://127.0.0.1:5557", "ipc:///run/palisade/events"; port * takes a free one
  std::string node = "node-1";
  std::chrono::milliseconds heartbeat{2000};
  std::size_t queue_depth = 1000;  // events not yet handed to ZeroMQ
};

// Publishes events on ZeroMQ: numbers them per topic, gives them ids, sends heartbeats, and sends every
// stream's last state again when someone subscribes. Its own thread owns the socket; no subscriber, slow or
// dead, ever makes publish() wait. Any thread.
class Publisher {
 public:
  // Fills in what a heartbeat says of the streams; called on the publisher's thread.
  using Status = std::function<std::map<std::string, StreamCounts>()>;

  // Throws Unavailable when the endpoint cannot be bound.
  explicit Publisher(PublisherOptions options, Status status = {});
  ~Publisher();  // sends what waits and gives slow subscribers half a second to take it

  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // Takes an event without id and sequence. When the queue is full its oldest is dropped and counted.
  void publish(Event event);
  std::uint64_t unpublished() const;
  // What subscribers connect to: the port is the one that was bound.
  const std::string& endpoint() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace palisade
