#include "base/duration.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "base/format.h"

namespace palisade {
namespace {

constexpr std::pair<std::string_view, double> kUnits[] = {
    {"ms", 1.0}, {"s", 1000.0}, {"m", 60'000.0}, {"h", 3'600'000.0}};
constexpr double kMaxMilliseconds = 24 * 3'600'000.0;

}  // namespace

std::optional<std::chrono::milliseconds> duration_of(std::string_view text) {
  const std::size_t digits = text.find_first_not_of("0123456789.");
  if (digits == std::string_view::npos || digits == 0) return std::nullopt;
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + digits, number, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + digits) return std::nullopt;
  for (const auto& [unit, milliseconds] : kUnits) {
    if (text.substr(digits) != unit) continue;
    const double value = number * milliseconds;
    if (!(value <= kMaxMilliseconds)) return std::nullopt;
    return std::chrono::milliseconds(std::llround(value));
  }
  return std::nullopt;
}

std::string duration_text(std::chrono::milliseconds duration) {
  const auto count = duration.count();
  if (count % 60'000 == 0 && count != 0) return format("{}m", count / 60'000);
  if (count % 1000 == 0) return format("{}s", count / 1000);
  return format("{}ms", count);
}

std::string duration_text(double seconds) {
  return seconds < 1 ? format("{:.2f} ms", seconds * 1e3) : format("{:.2f} s", seconds);
}

}  // namespace palisade
