#pragma once

#include "service/prune.h"

namespace CLI {
class App;
}

namespace palisade {

void add_prune_flag(CLI::App& command, Prune& prune);

}  // namespace palisade
