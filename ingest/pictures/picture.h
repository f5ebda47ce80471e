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

// Decodes JPEG, PNG or WebP, told apart by their first bytes, to RGB8. As Pillow's exif_transpose and
// convert("RGB"): upright, alpha is dropped without compositing, palettes and greyscale expand, 16 bits lose
// their low byte. Throws PictureError.
Image decode_picture(std::span<const std::byte> file, const PictureLimits& limits = {});
Image read_picture(const std::filesystem::path& path, const PictureLimits& limits = {});

// An 8-bit picture as the bytes of a PNG file. Throws PictureError.
std::vector<std::byte> encode_png(const Image& image);

// Writes a PNG, whole or not at all. Throws PictureError naming the file.
void write_png(const std::filesystem::path& path, const Image& image);

// True when the file starts as a JPEG, PNG or WebP does.
bool looks_like_picture(std::span<const std::byte> start);

}  // namespace palisade
