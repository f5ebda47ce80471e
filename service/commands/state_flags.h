#pragma once

#include <filesystem>
#include <string>

namespace CLI {
class App;
}

namespace palisade {

// Where a journal is: beside a running service, or without one.
struct StateFlags {
  std::string config;  // configuration of the service
  std::string state;   // its state folder
};

void add_state_flags(CLI::App& command, StateFlags& flags);
// Throws UsageError where both are given.
std::filesystem::path state_folder_of(const StateFlags& flags);

}  // namespace palisade
