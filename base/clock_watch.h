#pragma once

#include <chrono>
#include <optional>

#include "base/clock.h"

namespace palisade {

// Notices that the host's wall clock was set, by comparing it with the monotonic clock. Not thread-safe.
class ClockWatch {
 public:
  // By how much the wall clock was set since the last call; nothing if it moved by less than kStep, which may
  // be an ordinary adjustment.
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
