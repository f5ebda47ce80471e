#pragma once

namespace CLI {
class App;
}

namespace palisade {

// Lets `app` and the commands that are added to it from now on print their --help as: option and unit, one
// clause, then its bounds and default, and the variable that stands for it.
void set_help_text(CLI::App& app);

}  // namespace palisade
