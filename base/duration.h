#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace palisade {

// "500ms", "4s", "1.5s", "2m", "1h"; nothing else, and no more than a day. "0" needs a unit too.
std::optional<std::chrono::milliseconds> duration_of(std::string_view text);
std::string duration_text(std::chrono::milliseconds duration);
// "12.34 ms", "5.60 s": for what was measured.
std::string duration_text(double seconds);

}  // namespace palisade
