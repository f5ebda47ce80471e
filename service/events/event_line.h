#pragma once

#include <string>

#include "base/json.h"

namespace palisade {

// An event as one line for a terminal, without control characters: "09:05:24 front_door caption: a red car
// ...". Missing or malformed fields are left out.
std::string event_line(const std::string& topic, const Json& event);

}  // namespace palisade
