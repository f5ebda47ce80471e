#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace palisade {

// "2026-11-23T09:05:24.123Z": RFC 3339, UTC, milliseconds.
std::string time_text(WallTime time);
// The same back, with or without milliseconds; also "2026-11-23" and "2026-11-23T09:05". Nothing for any
// other text, or a date that there is not.
std::optional<WallTime> time_of(std::string_view text);

}  // namespace palisade
