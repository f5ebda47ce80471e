#include "service/commands/state_flags.h"

#include <CLI/CLI.hpp>

#include "service/settings/settings_journal.h"

namespace palisade {

void add_state_flags(CLI::App& command, StateFlags& flags) {
  CLI::Option* const config =
      command.add_option("--config", flags.config, "Configuration file of the service whose journal it is")
          ->envname("PALISADE_CONFIG")
          ->type_name("FILE");
  command.add_option("--state", flags.state, "Its state folder; default: that of the user's service")
      ->envname("PALISADE_STATE")
      ->type_name("DIR")
      ->excludes(config);
}

std::filesystem::path state_folder_of(const StateFlags& flags) {
  if (!flags.state.empty()) return flags.state;
  if (!flags.config.empty()) return state_folder_of(read_settings(flags.config));
  return default_state_folder(Settings{}.node);
}

}  // namespace palisade
