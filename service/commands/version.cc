#include <CLI/CLI.hpp>
#include <cstdio>

#include "ingest/confinement_here.h"
#include "service/commands/command.h"
#include "service/terminal/versions.h"

namespace palisade {

void add_version(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("version", "Say which Palisade this is, and its libraries");
  command->callback([&run] {
    run = [] {
      std::fputs(versions_text().c_str(), stdout);
      std::printf("camera processes are confined by: %s\n", confinement_here().c_str());
      return kDone;
    };
  });
}

}  // namespace palisade
