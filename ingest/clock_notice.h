#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/clock.h"

namespace palisade {

// Decides when to tell that a camera's clock is not believed, and says it: once it has been so for a while,
// as at the beginning pictures may come late that the camera had kept, and again where it has become another
// error.
class ClockNotice {
 public:
  static constexpr std::chrono::seconds kHolds{2};
  // `error`: see Source::clock_error(). Something to tell, or nothing.
  std::optional<std::string> notice(std::optional<std::chrono::milliseconds> error, MonotonicTime now);

 private:
  std::optional<std::chrono::milliseconds> told_;
  std::optional<MonotonicTime> since_;  // when what is to be told began to differ from what was
};

}  // namespace palisade
