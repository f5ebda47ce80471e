#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "service/events/event_book.h"
#include "service/events/event_sink.h"
#include "service/journal/event_store.h"
#include "tasks/events/state_event.h"

namespace palisade {

struct JournalOptions {
  std::filesystem::path folder;               // the state folder
  std::chrono::milliseconds patience{2'000};  // after which an event is sent before it is stored
  std::size_t waiting_bytes = 32u << 20;      // of events that cannot be stored now
  std::chrono::milliseconds retry{500};       // after an attempt to store that failed
  Retention retention = {};
};

// The sink that stores events, and the way to the sinks behind it: an event is numbered, stored, then sent.
// Where storing takes too long or fails, events are sent all the same, with "journaled": false, and stored
// later in their order. Two threads: one writes and may hang in the disk, the other hands events on.
class Journal : public EventSink {
 public:
  // Opens the journal of the folder, or makes it. The sinks outlive the journal. Throws Error where the
  // folder cannot be used, and Unavailable where another service uses it.
  Journal(JournalOptions options, std::vector<EventSink*> sinks);
  // Stores what waits, within the patience, and hands on everything.
  ~Journal() override;
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  void take(const SharedMessage& message) override;
  // Where numbering left off when the journal was opened.
  const EventHistory& history() const;
  // Any thread.
  JournalStatus status() const;
  std::uint64_t stored() const;  // events written since it was opened

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace palisade
