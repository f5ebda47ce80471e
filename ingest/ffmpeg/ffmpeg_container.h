#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace palisade {

// FFmpeg's name of the container that these first bytes show, where Palisade does not open it.
std::optional<std::string> unopened_container(std::span<const std::byte> start);

}  // namespace palisade
