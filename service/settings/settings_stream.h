#pragma once

#include <vector>

#include "service/settings/settings.h"
#include "service/settings/settings_tree.h"

namespace palisade {

// Reads one entry of `streams:`. What is wrong is added to `problems`.
StreamSettings read_stream(const YamlNode& node, std::vector<Problem>& problems);

}  // namespace palisade
