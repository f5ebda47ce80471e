#include "examples/world/png.h"

#include <png.h>

#include <stdexcept>

#include "base/format.h"

namespace palisade::world {
namespace {

png_uint_32 format_of(int channels) {
  switch (channels) {
    case 2:
      return PNG_FORMAT_GA;
    case 3:
      return PNG_FORMAT_RGB;
    default:
      return PNG_FORMAT_RGBA;
  }
}

}  // namespace

// libpng and not Cairo, because Cairo premultiplies alpha, which loses the colour of nearly transparent
// pixels.
Pixels read_png(const std::filesystem::path& file, int channels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  const auto fail = [&](const std::string& why) {
    png_image_free(&image);
    throw std::runtime_error("cannot read " + file.string() + ": " + why +
                             "; PALISADE_WORLD_ASSETS names the folder of the demo world's pictures");
  };
  if (png_image_begin_read_from_file(&image, file.c_str()) == 0) fail(image.message);
  constexpr png_uint_32 kMaxSide = 4096;
  if (image.width > kMaxSide || image.height > kMaxSide) fail("the picture is too large");
  if (image.format != format_of(channels)) fail(format("not a picture of {} channels", channels));
  Pixels pixels{static_cast<int>(image.width), static_cast<int>(image.height), channels, {}};
  pixels.samples.resize(PNG_IMAGE_SIZE(image));
  if (png_image_finish_read(&image, nullptr, pixels.samples.data(), 0, nullptr) == 0) fail(image.message);
  return pixels;
}

void write_png(const std::filesystem::path& file, const Pixels& pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(pixels.width);
  image.height = static_cast<png_uint_32>(pixels.height);
  image.format = format_of(pixels.channels);
  if (png_image_write_to_file(&image, file.c_str(), 0, pixels.samples.data(), 0, nullptr) == 0)
    throw std::runtime_error("cannot write " + file.string() + ": " + image.message);
}

}  // namespace palisade::world
