#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "service/events/event_sink.h"
#include "service/zeromq/keys.h"

namespace palisade {

struct PublisherOptions {
  std::string endpoint;  // "tcp://127.0.0.1:5557", "ipc:///run/palisade/events"; port * takes a free one
  std::size_t queue_depth = 1000;                  // events not yet handed to ZeroMQ
  std::optional<ServiceKeys> keys = std::nullopt;  // encrypted, for these clients; nothing: in the clear
};

// The sink that publishes events on ZeroMQ. When a peer subscribes, the last state event of every stream that
// its subscription covers is sent again. The publisher's own thread owns the socket; take() never waits for
// it.
class Publisher : public EventSink {
 public:
  // Throws Unavailable if the endpoint cannot be bound.
  explicit Publisher(PublisherOptions options);
  ~Publisher() override;  // sends the waiting events and gives slow subscribers half a second to receive them

  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  void take(const SharedMessage& message) override;
  // With keys: from now on these clients. Connections are ended where somebody is no longer among them. Any
  // thread.
  void allow(Clients clients);
  // Events that the queue had no room for: of a full one the oldest goes. Subscribers see the gap.
  std::uint64_t lost() const;
  std::uint64_t sent() const;     // events handed to ZeroMQ so far
  std::uint64_t waiting() const;  // events in the queue now
  // The endpoint that subscribers connect to; a port * is replaced by the port that was bound.
  const std::string& endpoint() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace palisade
