#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "frames/orientation.h"

namespace palisade {

// What EXIF data, a TIFF header and its first directory, says of how its picture lies; nothing where it says
// nothing, or nothing that can be read. "Exif\0" and a byte may stand before it. Takes any bytes.
std::optional<Orientation> orientation_of_exif(std::span<const std::byte> exif);

// The same of an XMP packet, where some programs write it instead.
std::optional<Orientation> orientation_of_xmp(std::span<const std::byte> xmp);

}  // namespace palisade
