#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/settings/settings.h"
#include "service/settings/settings_reader.h"

namespace palisade {

// `journal: off`, or a map of what is kept and for how long.
JournalSettings read_journal(SettingsReader& reader, std::vector<Problem>& problems);

// "jpeg", "exact" or "off".
std::optional<FrameStorage> read_frame_storage(SettingsReader& reader, std::string_view key);

// Where a node keeps what outlives it: systemd's StateDirectory ($STATE_DIRECTORY), else palisade/NODE in the
// user's state folder ($XDG_STATE_HOME, else ~/.local/state). Throws UsageError where neither is known.
std::filesystem::path default_state_folder(const std::string& node);
std::filesystem::path state_folder_of(const Settings& settings);

}  // namespace palisade
