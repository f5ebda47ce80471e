#pragma once

#include <string>

#include "base/json.h"

namespace palisade {

// An event for people, in one line without control characters: "09:05:24 front_door caption: a red car ...".
// Whatever fields are missing or of another type are left out.
std::string event_line(const std::string& topic, const Json& event);

}  // namespace palisade
