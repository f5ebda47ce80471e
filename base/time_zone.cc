#include "base/time_zone.h"

#include <date/tz.h>

#include <stdexcept>

#include "base/error.h"
#include "base/format.h"

namespace palisade {
namespace {

date::local_seconds local_seconds(WallTime time, const std::string& zone) {
  try {
    const auto since = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch());
    return date::locate_zone(zone)->to_local(date::sys_seconds(since));
  } catch (const std::runtime_error& error) {
    throw Error(format("no time zone '{}': {}; names are such as Europe/Berlin, of the package tzdata", zone,
                       error.what()));
  }
}

}  // namespace

bool is_time_zone(std::string_view name) {
  try {
    return date::locate_zone(std::string(name)) != nullptr;
  } catch (const std::runtime_error&) {
    return false;
  }
}

LocalMinute local_minute(WallTime time, const std::string& zone) {
  const date::local_seconds local = local_seconds(time, zone);
  const auto day = date::floor<date::days>(local);
  return {.weekday = int(date::weekday(day).c_encoding()),
          .minute = int(std::chrono::floor<std::chrono::minutes>(local - day).count())};
}

std::string local_time_text(WallTime time, const std::string& zone) {
  return date::format("%F %T", local_seconds(time, zone));
}

}  // namespace palisade
