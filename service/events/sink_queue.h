#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <utility>

#include "service/events/event_sink.h"

namespace palisade {

// What waits for a sink's own thread. Where it is full the oldest message is dropped and counted. Any thread.
class SinkQueue {
 public:
  explicit SinkQueue(std::size_t depth) : depth_(depth) {}

  void push(SharedMessage message) {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= depth_) {
      waiting_.pop_front();
      ++lost_;
    }
    waiting_.push_back(std::move(message));
  }
  std::deque<SharedMessage> take_all() {
    const std::lock_guard lock(mutex_);
    return std::exchange(waiting_, {});
  }
  std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }
  // Messages dropped so far.
  std::uint64_t lost() const {
    const std::lock_guard lock(mutex_);
    return lost_;
  }

 private:
  const std::size_t depth_;
  mutable std::mutex mutex_;
  std::deque<SharedMessage> waiting_;
  std::uint64_t lost_ = 0;
};

}  // namespace palisade
