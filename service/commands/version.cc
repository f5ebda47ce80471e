#include <CLI/CLI.hpp>
#include <cstdio>

#include "service/commands/command.h"
#include "service/terminal/versions.h"

namespace palisade {

void add_version(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("version", "Say which Palisade this is, and its libraries");
  command->callback([&run] {
    run = [] {
      std::fputs(versions_text().c_str(), stdout);
      return kDone;
    };
  });
}

}  // namespace palisade
