#pragma once

#include <chrono>
#include <optional>

#include "base/clock.h"

namespace palisade {

// Notices that the host's wall clock was set: it then no longer goes with the monotonic one. Only labels
// change with it; everything that waits or measures uses the monotonic one. One thread's.
class ClockWatch {
 public:
  // By how much it was set since the last look, where that is more than a clock is ever adjusted by.
  std::optional<std::chrono::milliseconds> step(WallTime wall, MonotonicTime monotonic) {
    const auto offset = std::chrono::floor<std::chrono::milliseconds>(wall.time_since_epoch()) -
                        std::chrono::floor<std::chrono::milliseconds>(monotonic.time_since_epoch());
    const std::chrono::milliseconds by = offset - offset_.value_or(offset);
    offset_ = offset;
    if (std::chrono::abs(by) < kStep) return std::nullopt;
    return by;
  }

 private:
  static constexpr std::chrono::milliseconds kStep{500};
  std::optional<std::chrono::milliseconds> offset_;
};

}  // namespace palisade
