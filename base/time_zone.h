#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace palisade {

// A time as clocks of a zone show it.
struct LocalMinute {
  int weekday = 0;  // 0: Sunday
  int minute = 0;   // of the day
};

// True of a name of the system's time zones (tzdata): "Europe/Berlin", "UTC".
bool is_time_zone(std::string_view name);
// Throws Error where there is no such zone.
LocalMinute local_minute(WallTime time, const std::string& zone);
// "2026-11-23 10:05:24" there. Throws likewise.
std::string local_time_text(WallTime time, const std::string& zone);

}  // namespace palisade
