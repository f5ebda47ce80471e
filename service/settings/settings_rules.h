#pragma once

#include <vector>

#include "service/settings/settings.h"
#include "service/settings/settings_tree.h"

namespace palisade {

// Reads `rules` of every stream once all streams are known, because a rule may look at several. `nodes` are
// those of the streams, in order. Frames of tasks that rules look at are kept exact where nothing else is
// said.
void read_rules(const std::vector<YamlNode>& nodes, Settings& settings, std::vector<Problem>& problems);

}  // namespace palisade
