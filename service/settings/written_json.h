#pragma once

#include <string>

#include "service/settings/settings_tree.h"

namespace palisade {

// A part of a configuration as JSON text, which read again says the same. Unquoted true, false and numbers
// are no texts there. Empty for what cannot be said so: text that is no UTF-8.
std::string json_text_of(const YamlNode& node);

}  // namespace palisade
