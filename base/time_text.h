#pragma once

#include <string>

#include "base/clock.h"

namespace palisade {

// "2026-11-23T09:05:24.123Z": RFC 3339, UTC, milliseconds.
std::string time_text(WallTime time);

}  // namespace palisade
