#include "tasks/rules/quiet_hours.h"

#include "base/time_zone.h"

namespace palisade {

bool QuietHours::holds(WallTime time) const {
  const LocalMinute local = local_minute(time, zone);
  const auto day = std::size_t(local.weekday), day_before = (day + 6) % 7;
  if (from_minute < to_minute) return days[day] && local.minute >= from_minute && local.minute < to_minute;
  return (days[day] && local.minute >= from_minute) || (days[day_before] && local.minute < to_minute);
}

}  // namespace palisade
