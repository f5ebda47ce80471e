#include "frames/privacy_mask.h"

#include <algorithm>
#include <cassert>

namespace palisade {

void PrivacyMask::measure(int width, int height) {
  width_ = width;
  height_ = height;
  runs_.clear();
  const std::vector<std::uint8_t> hidden = touched_pixels(polygons_, width, height);
  for (auto at = hidden.begin(); (at = std::find(at, hidden.end(), 1)) != hidden.end();) {
    const auto end = std::find(at, hidden.end(), 0);
    runs_.push_back({3 * std::size_t(at - hidden.begin()), 3 * std::size_t(end - at)});
    at = end;
  }
}

Image PrivacyMask::painted(const Image& picture) {
  if (polygons_.empty()) return picture;
  assert(!picture.is_float());
  if (picture.width() != width_ || picture.height() != height_) measure(picture.width(), picture.height());
  std::vector<std::uint8_t> rgb(picture.u8().begin(), picture.u8().end());
  for (const Run& run : runs_)
    std::fill_n(rgb.begin() + std::ptrdiff_t(run.first), run.count, std::uint8_t{0});
  return Image(picture.width(), picture.height(), std::move(rgb));
}

}  // namespace palisade
