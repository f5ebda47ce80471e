#pragma once

#include <string>

namespace CLI {
class App;
}

namespace palisade {

void add_frames_to_flag(CLI::App& command, std::string& folder);

}  // namespace palisade
