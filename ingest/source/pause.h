#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

namespace palisade {

// Waits that a stop request ends at once.
class Pause {
 public:
  explicit Pause(std::stop_token stop) : stop_(std::move(stop)) {}

  // Waits until `end`; false if a stop was requested.
  bool until(std::chrono::steady_clock::time_point end) {
    std::unique_lock lock(mutex_);
    ended_.wait_until(lock, stop_, end, [] { return false; });
    return !stop_.stop_requested();
  }

 private:
  std::stop_token stop_;
  std::mutex mutex_;
  std::condition_variable_any ended_;
};

}  // namespace palisade
