#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "frames/orientation.h"

namespace palisade {

// The orientation in EXIF data (a TIFF header and its first directory, with or without "Exif\0" and a byte
// before it). Nothing where it has none or cannot be read. Accepts any bytes.
std::optional<Orientation> orientation_of_exif(std::span<const std::byte> exif);

// The same of an XMP packet.
std::optional<Orientation> orientation_of_xmp(std::span<const std::byte> xmp);

}  // namespace palisade
