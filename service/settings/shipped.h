#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace palisade {

// What Palisade brings along: `installed` below share/palisade beside the program, or `source` below the
// folder of configurations of the sources that it was built of. Nothing where it is at neither place.
std::optional<std::filesystem::path> shipped(const std::string& installed, const std::string& source);

// The film of the simulated street (kStreetUrl).
std::optional<std::filesystem::path> street_film();

}  // namespace palisade
