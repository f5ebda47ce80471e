#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "service/events/event_sink.h"

namespace palisade {

// The events between the road and the sinks behind the journal, in two lines: those to be stored and those to
// be sent. An event is in both until it is stored, and is sent in its turn: once it is stored, or unstored
// where that takes too long. Any thread.
class WaitingEvents {
 public:
  struct Outgoing {
    SharedMessage message;
    bool stored = false;  // or needs no storing
  };

  WaitingEvents(std::chrono::milliseconds patience, std::size_t max_bytes)
      : patience_(patience), max_bytes_(max_bytes) {}

  void push(const SharedMessage& message);
  // The oldest of those to be stored, waiting for one until `until`; they stay in line until stored() or
  // lost.
  std::vector<SharedMessage> to_store(const std::stop_token& stop,
                                      std::chrono::steady_clock::time_point until);
  // The first of these that are still in line are on the disk.
  void stored(const std::vector<SharedMessage>& messages);
  // Storing fails: nobody waits for it until stored() says otherwise.
  void storing_fails();
  // The next to be sent, when its turn has come; nothing at the end: closed, and all is sent.
  std::optional<Outgoing> to_send();
  // Nothing is stored any more: what is left is sent as it is.
  void close();

  std::uint64_t unstored() const;
  std::uint64_t lost() const;  // events that were dropped unstored

 private:
  struct Entry {
    SharedMessage message;
    std::chrono::steady_clock::time_point arrived;
    bool stored = false;
  };
  void drop_oldest();

  const std::chrono::milliseconds patience_;
  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable_any something_to_store_;
  std::condition_variable sending_changed_;
  // All below is guarded by mutex_.
  std::deque<std::shared_ptr<Entry>> store_line_, send_line_;
  std::size_t bytes_ = 0;  // of the store line
  std::uint64_t lost_ = 0;
  bool failing_ = false, closed_ = false;
};

}  // namespace palisade
