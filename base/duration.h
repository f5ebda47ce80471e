#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace palisade {

// Parses "500ms", "4s", "1.5s", "2m" or "1h", up to a day. A number without unit is refused, also "0".
std::optional<std::chrono::milliseconds> duration_of(std::string_view text);
std::string duration_text(std::chrono::milliseconds duration);
// A measured time: "12.34 ms", "5.60 s".
std::string duration_text(double seconds);

}  // namespace palisade
