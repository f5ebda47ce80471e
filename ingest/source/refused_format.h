#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace palisade {

// Recognises an unsupported format, of a file or of a server's answer, by its first bytes (a few hundred are
// best) and says what to do: "an HLS playlist: give the address of one of the streams that it names". Nothing
// if the format may be a supported one.
std::optional<std::string> refused_format(std::span<const std::byte> start);

}  // namespace palisade
