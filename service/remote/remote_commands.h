#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace palisade {

// `palisade streams`, which speaks to a running service; sets `run` when it is chosen.
void add_streams(CLI::App& app, std::function<int()>& run);

}  // namespace palisade
