#pragma once

#include "service/settings/prune.h"

namespace CLI {
class App;
}

namespace palisade {

void add_prune_flag(CLI::App& command, Prune& prune);
// Throws UsageError where there are too few frames to have anything in common.
void require_video_for(const Prune& prune, int frames);

}  // namespace palisade
