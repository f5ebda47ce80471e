#pragma once

#include <cstdint>
#include <string>

namespace palisade {

// Milliseconds since 1970 of a moment that a flag or a parameter names: "2026-11-23T09:05:24Z", "2026-11-23",
// or an age such as "90s", "2h", "7d". `what` names it in the UsageError of any other text.
std::int64_t moment_ms(const std::string& text, const std::string& what);

}  // namespace palisade
