#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>

#include "base/clock.h"

namespace palisade {

// Lets at most so many start at once. What starts hands its turn back by releasing it; one that it keeps for
// longer than `longest` is given to the next, so that nobody waits for a start that hangs. Safe from any
// thread.
class StartTurns {
 public:
  // The permission for one start; it ends when the Turn is destroyed.
  class Turn {
   public:
    Turn(StartTurns& turns, MonotonicTime since) : turns_(turns), since_(since) {}
    ~Turn() { turns_.release(since_); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    StartTurns& turns_;
    const MonotonicTime since_;
  };

  StartTurns(std::size_t most, std::chrono::milliseconds longest) : most_(most), longest_(longest) {}
  // Waits for a turn; nothing where the stop came first.
  std::unique_ptr<Turn> take(const std::stop_token& stop);

 private:
  void release(MonotonicTime since);

  const std::size_t most_;
  const std::chrono::milliseconds longest_;
  std::mutex mutex_;
  std::condition_variable_any released_;
  std::multiset<MonotonicTime> taken_;  // guarded by mutex_: since when
};

}  // namespace palisade
