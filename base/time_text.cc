#include "base/time_text.h"

#include <array>

#include "base/format.h"

namespace palisade {

std::string time_text(WallTime time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<milliseconds>(time - day)};
  return format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", int(date.year()), unsigned(date.month()),
                unsigned(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                clock.subseconds().count());
}

std::optional<WallTime> time_of(std::string_view text) {
  using namespace std::chrono;
  // Digits stand for themselves in the pattern, the rest is compared.
  constexpr std::string_view kPattern = "0000-00-00T00:00:00.000";
  if (text.ends_with('Z')) text.remove_suffix(1);
  if (text.size() != 10 && text.size() != 16 && text.size() != 19 && text.size() != kPattern.size())
    return std::nullopt;
  std::array<int, 7> fields{};  // year, month, day, hour, minute, second, millisecond
  std::size_t field = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (kPattern[i] != '0') {
      if (text[i] != kPattern[i]) return std::nullopt;
      ++field;
      continue;
    }
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    fields[field] = fields[field] * 10 + (text[i] - '0');
  }
  const auto [year_number, month_number, day_number, hour, minute, second, millisecond] = fields;
  const year_month_day date{year(year_number), month(unsigned(month_number)), day(unsigned(day_number))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return WallTime(sys_days(date)) + hours(hour) + minutes(minute) + seconds(second) +
         milliseconds(millisecond);
}

}  // namespace palisade
