#include "service/journal/contact_sheet.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace palisade {
namespace {

constexpr int kMaxColumns = 4, kMargin = 4;
constexpr std::uint8_t kGone = 128, kPaper = 255;

std::uint8_t sample_of(const Image& image, std::size_t at) {
  if (!image.is_float()) return image.u8()[at];
  return std::uint8_t(std::lround(std::clamp(image.f32()[at], 0.0F, 255.0F)));
}

}  // namespace

Image contact_sheet(const std::vector<std::optional<EncodedFrame>>& frames) {
  int side_x = 0, side_y = 0;
  for (const auto& frame : frames) {
    side_x = std::max(side_x, frame ? frame->width : 0);
    side_y = std::max(side_y, frame ? frame->height : 0);
  }
  if (side_x == 0) throw Error("the event has no frames that are kept, so there is nothing to see");
  const int columns = std::min(kMaxColumns, int(frames.size()));
  const int rows = (int(frames.size()) + columns - 1) / columns;
  const int width = columns * (side_x + kMargin) + kMargin, height = rows * (side_y + kMargin) + kMargin;
  std::vector<std::uint8_t> rgb(std::size_t(width) * std::size_t(height) * 3, kPaper);
  for (int i = 0; i < int(frames.size()); ++i) {
    const auto& frame = frames[std::size_t(i)];
    const Image image = frame ? decode_frame(*frame) : Image();
    const int left = kMargin + i % columns * (side_x + kMargin),
              top = kMargin + i / columns * (side_y + kMargin);
    for (int y = 0; y < (frame ? image.height() : side_y); ++y) {
      for (int x = 0; x < (frame ? image.width() : side_x) * 3; ++x) {
        const std::size_t to =
            (std::size_t(top + y) * std::size_t(width) + std::size_t(left)) * 3 + std::size_t(x);
        rgb[to] = frame ? sample_of(image, std::size_t(y) * std::size_t(image.width()) * 3 + std::size_t(x))
                        : kGone;
      }
    }
  }
  return {width, height, std::move(rgb)};
}

}  // namespace palisade
