#include "ingest/clock_notice.h"

#include "base/format.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;

std::string length_text(milliseconds time) {
  const long long seconds = std::chrono::round<std::chrono::seconds>(time).count();
  if (seconds < 120) return format("{} s", seconds);
  if (seconds < 120 * 60) return format("{} min", (seconds + 30) / 60);
  if (seconds < 48 * 3600) return format("{} h", (seconds + 1800) / 3600);
  return format("{} days", (seconds + 43'200) / 86'400);
}

bool differs(std::optional<milliseconds> a, std::optional<milliseconds> b) {
  if (!a || !b) return a.has_value() != b.has_value();
  // A drifting clock is not reported every second.
  return std::chrono::abs(*a - *b) > std::max(milliseconds(1'000), std::chrono::abs(*b) / 5);
}

}  // namespace

std::optional<std::string> ClockNotice::notice(std::optional<milliseconds> error, MonotonicTime now) {
  if (!differs(error, told_)) {
    since_.reset();
    return std::nullopt;
  }
  if (!since_) since_ = now;
  if (now - *since_ < kHolds) return std::nullopt;
  told_ = error;
  since_.reset();
  if (!error) return "the camera's clock agrees with this machine's: its times are taken again";
  return "the camera's clock is " + length_text(std::chrono::abs(*error)) +
         (*error > milliseconds(0) ? " ahead of" : " behind") +
         " this machine's: frames have the time of their arrival; set both by NTP";
}

}  // namespace palisade
