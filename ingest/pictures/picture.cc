#include "ingest/pictures/picture.h"

#include <array>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "base/format.h"
#include "ingest/pictures/picture_formats.h"
#include "ingest/pictures/picture_orientation.h"
#include "ingest/source/refused_file.h"

namespace palisade {
namespace {

struct Format {
  bool (*recognises)(Bytes start);
  Image (*decode)(Bytes file, const PictureLimits& limits);
  Orientation (*orientation)(Bytes file);
};

constexpr std::array<Format, 3> kFormats = {{
    {is_jpeg, decode_jpeg, orientation_of_jpeg},
    {is_png, decode_png, orientation_of_png},
    {is_webp, decode_webp, orientation_of_webp},
}};

void check_bytes(std::uint64_t size, const PictureLimits& limits) {
  if (size <= limits.max_bytes) return;
  throw PictureError(
      format("the picture file has {} bytes, {} are allowed: make it smaller", size, limits.max_bytes));
}

}  // namespace

void check_picture_size(std::uint64_t width, std::uint64_t height, const PictureLimits& limits) {
  if (width == 0 || height == 0) throw PictureError("the picture has no pixels");
  const bool small = width <= std::uint64_t(limits.max_side) && height <= std::uint64_t(limits.max_side) &&
                     width * height <= std::uint64_t(limits.max_pixels);
  if (small) return;
  throw PictureError(
      format("the picture is {} x {}, over the limit of {} pixels and {} a side: make it smaller", width,
             height, limits.max_pixels, limits.max_side));
}

bool looks_like_picture(std::span<const std::byte> start) {
  for (const Format& format : kFormats) {
    if (format.recognises(start)) return true;
  }
  return false;
}

Image decode_picture(std::span<const std::byte> file, const PictureLimits& limits) {
  check_bytes(file.size(), limits);
  for (const Format& format : kFormats) {
    if (format.recognises(file)) return upright(format.decode(file, limits), format.orientation(file));
  }
  const auto kind = refused_picture(file);
  throw PictureError("not a picture Palisade reads" + (kind ? ", but " + *kind : ": send JPEG, PNG or WebP"));
}

Image read_picture(const std::filesystem::path& path, const PictureLimits& limits) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    throw PictureError(path.string() + ": no such picture file");
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) throw PictureError(path.string() + ": cannot be opened for reading");
  check_bytes(std::filesystem::file_size(path, error), limits);
  // Reads up to the limit instead of the size just seen: the file may be growing.
  std::vector<char> bytes;
  std::array<char, 65536> part;
  while (in.read(part.data(), part.size()) || in.gcount() > 0) {
    bytes.insert(bytes.end(), part.data(), part.data() + in.gcount());
    check_bytes(bytes.size(), limits);
  }
  if (in.bad()) throw PictureError(path.string() + ": cannot be read: the system reports an error");
  try {
    return decode_picture(std::as_bytes(std::span(bytes)), limits);
  } catch (const PictureError& e) {
    throw PictureError(path.string() + ": " + e.what());
  }
}

}  // namespace palisade
