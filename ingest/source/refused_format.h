#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace palisade {

// What a file or an answer is that Palisade reads nothing of, told by its first bytes (some hundreds serve
// best): "an HLS playlist: give the address of one of the streams that it names". Nothing where they might be
// a picture or a film that is read.
std::optional<std::string> refused_format(std::span<const std::byte> start);

}  // namespace palisade
