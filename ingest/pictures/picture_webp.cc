#include <webp/decode.h>

#include <cstring>
#include <utility>
#include <vector>

#include "ingest/pictures/picture_formats.h"

namespace palisade {

bool is_webp(Bytes start) {
  return start.size() >= 12 && std::memcmp(start.data(), "RIFF", 4) == 0 &&
         std::memcmp(start.data() + 8, "WEBP", 4) == 0;
}

Image decode_webp(Bytes file, const PictureLimits& limits) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(file.data());
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data, file.size(), &features) != VP8_STATUS_OK) {
    throw PictureError("unreadable WebP: its header is broken");
  }
  check_picture_size(std::uint64_t(features.width), std::uint64_t(features.height), limits);
  if (features.has_animation != 0) {
    throw PictureError("the WebP is an animation: send one of its frames as a still picture");
  }
  std::vector<std::uint8_t> rgb(std::size_t(features.width) * std::size_t(features.height) * 3);
  if (WebPDecodeRGBInto(data, file.size(), rgb.data(), rgb.size(), features.width * 3) == nullptr) {
    throw PictureError("unreadable WebP: truncated or damaged");
  }
  return Image(features.width, features.height, std::move(rgb));
}

}  // namespace palisade
