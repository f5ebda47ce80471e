#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/clock.h"

namespace palisade {

// Decides when to report that a camera's clock is not believed: once that has lasted a while, because a
// camera may first send pictures that it had kept, and again when the error changes.
class ClockNotice {
 public:
  static constexpr std::chrono::seconds kHolds{2};
  // `error`: see Source::clock_error(). Returns the report, or nothing.
  std::optional<std::string> notice(std::optional<std::chrono::milliseconds> error, MonotonicTime now);

 private:
  std::optional<std::chrono::milliseconds> told_;
  std::optional<MonotonicTime> since_;  // since when the report would differ from the last one
};

}  // namespace palisade
