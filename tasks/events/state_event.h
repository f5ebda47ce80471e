#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/json.h"

namespace palisade {

// The data of a palisade.state.v1 event. `reason` holds no password.
struct StateEvent {
  std::string state;  // "online", "reconnecting" ... as the schema lists them
  std::string reason;
  WallTime since{};
  int attempt = 0;
  std::chrono::milliseconds next_try_in{0};
  int width = 0;  // of the picture, once known
  int height = 0;
};

// Counts of one stream since the service started.
struct StreamCounts {
  std::uint64_t frames = 0;    // decoded
  std::uint64_t answered = 0;  // answers given
  std::uint64_t dropped = 0;   // clips lost to load
  std::uint64_t failed = 0;    // clips that the model could not answer
  std::uint64_t images_encoded = 0;
  std::uint64_t skipped = 0;    // clips skipped by the motion gate or for want of a partner
  std::uint64_t unchanged = 0;  // clips for which the last answer still held
  std::uint64_t lost = 0;       // clips given up where the stream paused, jumped or was lost
};

// How the journal that keeps a node's events is doing.
struct JournalStatus {
  bool storing = true;
  std::string reason;         // why it cannot store; empty while it does
  std::uint64_t waiting = 0;  // events in memory that are not on the disk
  std::uint64_t lost = 0;     // events that will never be, since the service started
};

// The data of a palisade.heartbeat.v1 event. A node with many topics tells them in several heartbeats.
struct HeartbeatEvent {
  std::chrono::milliseconds interval{2000};
  std::chrono::milliseconds uptime{0};
  std::map<std::string, std::uint64_t> sequences;  // last of every topic
  std::map<std::string, StreamCounts> streams;
  std::uint64_t unpublished = 0;  // events that the publisher's own queue had no room for
  std::optional<JournalStatus> journal;
};

Json to_json(const StateEvent& state);
Json to_json(const HeartbeatEvent& heartbeat);

}  // namespace palisade
