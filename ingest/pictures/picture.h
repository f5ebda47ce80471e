#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

#include "base/error.h"
#include "frames/image.h"

namespace palisade {

// Limits of a picture file, checked on its header before anything is allocated.
struct PictureLimits {
  std::size_t max_bytes = 20u << 20;
  int max_pixels = 33'177'600;
  int max_side = 16'384;
};

// "not a picture Palisade reads: ...", naming the remedy.
class PictureError : public Error {
  using Error::Error;
};

// Decodes JPEG, PNG or WebP by their first bytes to RGB8, as Pillow's exif_transpose and convert("RGB") do:
// upright, alpha dropped without compositing, palettes and greyscale expanded, 16 bits cut to 8. Throws
// PictureError.
Image decode_picture(std::span<const std::byte> file, const PictureLimits& limits = {});
Image read_picture(const std::filesystem::path& path, const PictureLimits& limits = {});

// Encodes a picture as PNG. Throws PictureError.
std::vector<std::byte> encode_png(const Image& image);

// Writes a whole PNG file or none. Throws PictureError naming it.
void write_png(const std::filesystem::path& path, const Image& image);

// True where the first bytes are those of a JPEG, PNG or WebP.
bool looks_like_picture(std::span<const std::byte> start);

}  // namespace palisade
