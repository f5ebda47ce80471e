#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ingest/pictures/picture.h"

// The picture formats, each behind its own .cc file and library. Called through decode_picture() only.
namespace palisade {

using Bytes = std::span<const std::byte>;

bool is_jpeg(Bytes start);
bool is_png(Bytes start);
bool is_webp(Bytes start);

Image decode_jpeg(Bytes file, const PictureLimits& limits);
Image decode_png(Bytes file, const PictureLimits& limits);
Image decode_webp(Bytes file, const PictureLimits& limits);

// Throws PictureError where the size of the header is over the limits, before anything is allocated for it.
void check_picture_size(std::uint64_t width, std::uint64_t height, const PictureLimits& limits);

}  // namespace palisade
