#include "ingest/start_turns.h"

namespace palisade {

using std::chrono::steady_clock;

std::unique_ptr<StartTurns::Turn> StartTurns::take(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const MonotonicTime now = steady_clock::now();
    taken_.erase(taken_.begin(), taken_.upper_bound(now - longest_));
    if (taken_.size() < most_) {
      taken_.insert(now);
      return std::make_unique<Turn>(*this, now);
    }
    const std::size_t count = taken_.size();
    released_.wait_until(lock, stop, *taken_.begin() + longest_, [&] { return taken_.size() < count; });
  }
  return nullptr;
}

void StartTurns::release(MonotonicTime since) {
  const std::lock_guard lock(mutex_);
  if (const auto found = taken_.find(since); found != taken_.end()) taken_.erase(found);
  released_.notify_all();
}

}  // namespace palisade
