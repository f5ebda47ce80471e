#include "base/moment.h"

#include <charconv>
#include <optional>

#include "base/duration.h"
#include "base/error.h"
#include "base/time_text.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;

constexpr int kMaxAgeDays = 36'500;

std::optional<milliseconds> age_of(const std::string& text) {
  int days = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, days);
  if (error == std::errc() && rest + 1 == end && *rest == 'd' && days >= 0 && days <= kMaxAgeDays)
    return std::chrono::hours(24) * days;
  return duration_of(text);
}

}  // namespace

std::int64_t moment_ms(const std::string& text, const std::string& flag) {
  auto moment = time_of(text);
  if (!moment) {
    const auto age = age_of(text);
    if (!age)
      throw UsageError(
          flag +
          ": a time such as 2026-11-23T09:05:24Z or 2026-11-23 (UTC), or an age such as 90s, 2h or 7d");
    moment = wall_now() - *age;
  }
  return std::chrono::floor<milliseconds>(moment->time_since_epoch()).count();
}

}  // namespace palisade
