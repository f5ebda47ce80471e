#pragma once

#include <chrono>
#include <stop_token>
#include <utility>

#include "base/clock.h"
#include "ingest/ffmpeg/ffmpeg_handles.h"

namespace palisade {

// Ends FFmpeg's waits through its interrupt callback. FFmpeg's own timeouts miss a camera that is frozen with
// the connection open. Must not move while a context uses it.
class Deadline {
 public:
  explicit Deadline(std::stop_token stop) : stop_(std::move(stop)) {}
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void arm(std::chrono::milliseconds patience) { at_ = std::chrono::steady_clock::now() + patience; }
  // From now on a stop does not interrupt: leaves time to say goodbye to a camera.
  void arm_for_closing(std::chrono::milliseconds patience) {
    stop_ = {};
    arm(patience);
  }
  void arm_until(MonotonicTime at) { at_ = at; }
  MonotonicTime at() const { return at_; }
  const std::stop_token& stop() const { return stop_; }
  bool stopped() const { return stop_.stop_requested(); }
  bool passed() const { return stopped() || std::chrono::steady_clock::now() >= at_; }

  AVIOInterruptCB callback() {
    return {[](void* self) { return int(static_cast<Deadline*>(self)->passed()); }, this};
  }

 private:
  std::stop_token stop_;
  MonotonicTime at_ = MonotonicTime::max();
};

}  // namespace palisade
