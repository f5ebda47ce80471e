#pragma once

#include <array>
#include <string>

#include "base/clock.h"

namespace palisade {

// A time of day in which no alert begins. It may go past midnight: 22:00 to 06:00 belongs to the day on
// which it begins.
struct QuietHours {
  int from_minute = 0;  // of the day, 0 to 1439
  int to_minute = 0;    // likewise, not in it; the same as `from_minute`: the whole day
  std::array<bool, 7> days{true, true, true, true, true, true, true};  // Sunday first
  std::string zone = "UTC";                                            // "Europe/Berlin"

  bool holds(WallTime time) const;
  bool operator==(const QuietHours&) const = default;
};

}  // namespace palisade
