#pragma once

#include <fmt/core.h>

namespace palisade {

// Text from a pattern and values: format("{} of {}", done, total), format("{:.3f}", share).
using fmt::format;

}  // namespace palisade
