#include "service/settings/settings_journal.h"

#include <cstdlib>

namespace palisade {
namespace {

constexpr int kMaxDays = 3650;
constexpr double kMaxGigabytes = 100'000;

void read_days(SettingsReader& reader, std::string_view key, std::chrono::hours& into) {
  int days = 0;
  if (reader.read(key, days, 1, kMaxDays)) into = std::chrono::hours(24) * days;
}

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::optional<FrameStorage> read_frame_storage(SettingsReader& reader, std::string_view key) {
  std::string text;
  if (!reader.read(key, text)) return std::nullopt;
  if (text == "off") return FrameStorage::kOff;
  if (text == "jpeg") return FrameStorage::kJpeg;
  if (text == "exact") return FrameStorage::kExact;
  reader.problem(key, std::string(key) + " is jpeg, exact or off, not '" + text + "'");
  return std::nullopt;
}

JournalSettings read_journal(SettingsReader& reader, std::vector<Problem>& problems) {
  JournalSettings journal;
  const YamlNode* const node = reader.find("journal");
  if (node == nullptr) return journal;
  if (node->kind != YamlNode::Kind::kMap) {
    if (node->text == "off" || node->text == "on") {
      journal.on = node->text == "on";
    } else {
      reader.problem("journal", "journal is on, off, or what is kept: {days: 30, frames: jpeg, size_gb: 10}");
    }
    return journal;
  }
  SettingsReader entries(*node, "the journal", problems);
  read_days(entries, "days", journal.events);
  if (const auto frames = read_frame_storage(entries, "frames")) journal.frames = *frames;
  read_days(entries, "frame_days", journal.frames_stay);
  entries.read("size_gb", journal.size_gb, 0.01, kMaxGigabytes);
  entries.read("free_percent", journal.free_percent, 0, 90);
  entries.finish();
  return journal;
}

std::filesystem::path default_state_folder(const std::string& node) {
  // systemd separates several folders by colons; ours is the first.
  if (const std::string given = variable("STATE_DIRECTORY"); !given.empty())
    return given.substr(0, given.find(':'));
  if (const std::string state = variable("XDG_STATE_HOME"); !state.empty())
    return std::filesystem::path(state) / "palisade" / node;
  if (const std::string home = variable("HOME"); !home.empty())
    return std::filesystem::path(home) / ".local" / "state" / "palisade" / node;
  throw UsageError(
      "there is no folder for the journal: give one with `state:`, or keep none with `journal: off`");
}

std::filesystem::path state_folder_of(const Settings& settings) {
  return settings.state.empty() ? default_state_folder(settings.node) : settings.state;
}

}  // namespace palisade
