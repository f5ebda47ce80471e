#pragma once

#include <mutex>
#include <vector>

#include "service/events/event_sink.h"

namespace palisade {

// A sink that stores every event.
class KeptEvents : public EventSink {
 public:
  void take(const SharedMessage& message) override {
    const std::lock_guard lock(mutex_);
    kept_.push_back(message);
  }
  std::vector<SharedMessage> all() const {
    const std::lock_guard lock(mutex_);
    return kept_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<SharedMessage> kept_;
};

}  // namespace palisade
