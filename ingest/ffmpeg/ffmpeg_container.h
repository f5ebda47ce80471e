#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace palisade {

// FFmpeg's own name of the container that these first bytes of a file show, where it is one that Palisade
// does not open.
std::optional<std::string> unopened_container(std::span<const std::byte> start);

}  // namespace palisade
