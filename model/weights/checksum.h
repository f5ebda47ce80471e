#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace palisade {

// XXH3 of pieces that are hashed side by side, in hexadecimal.
std::string checksum(std::span<const std::byte> bytes);

}  // namespace palisade
