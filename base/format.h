#pragma once

#include <fmt/core.h>

namespace palisade {

// format("{} of {}", done, total), format("{:.3f}", share): the only file that includes fmt.
using fmt::format;

}  // namespace palisade
