#include "frames/orientation.h"

#include <algorithm>
#include <cassert>
#include <utility>
#include <vector>

namespace palisade {
namespace {

constexpr int kBlock = 32;  // pixels a side: what is read across rows stays in the L1 cache

// Where pixels of the upright picture are in the stored one: the first, and the steps to the next pixel and
// row.
struct Walk {
  std::ptrdiff_t first = 0;
  std::ptrdiff_t next = 1;
  std::ptrdiff_t row = 0;
};

Walk walk_of(Orientation orientation, std::ptrdiff_t width, std::ptrdiff_t height) {
  const std::ptrdiff_t right = width - 1;
  const std::ptrdiff_t bottom = (height - 1) * width;
  switch (orientation) {
    case Orientation::kUpright:
      return {0, 1, width};
    case Orientation::kMirror:
      return {right, -1, width};
    case Orientation::kHalfTurn:
      return {bottom + right, -1, -width};
    case Orientation::kFlip:
      return {bottom, 1, -width};
    case Orientation::kTranspose:
      return {0, width, 1};
    case Orientation::kTurnRight:
      return {bottom, -width, 1};
    case Orientation::kTransverse:
      return {bottom + right, -width, -1};
    case Orientation::kTurnLeft:
      return {right, width, -1};
  }
  return {0, 1, width};
}

}  // namespace

Image upright(const Image& picture, Orientation orientation) {
  if (orientation == Orientation::kUpright || picture.empty()) return picture;
  assert(!picture.is_float());
  const bool lies = int(orientation) >= int(Orientation::kTranspose);
  const int width = lies ? picture.height() : picture.width();
  const int height = lies ? picture.width() : picture.height();
  const Walk walk = walk_of(orientation, picture.width(), picture.height());
  const std::uint8_t* const stored = picture.u8().data() + 3 * walk.first;
  std::vector<std::uint8_t> rgb(picture.u8().size());
  for (int top = 0; top < height; top += kBlock) {
    for (int left = 0; left < width; left += kBlock) {
      for (int y = top; y < std::min(top + kBlock, height); ++y) {
        std::uint8_t* out = rgb.data() + 3 * (std::size_t(y) * std::size_t(width) + std::size_t(left));
        for (int x = left; x < std::min(left + kBlock, width); ++x, out += 3)
          std::copy_n(stored + 3 * (walk.next * x + walk.row * y), 3, out);
      }
    }
  }
  return Image(width, height, std::move(rgb));
}

}  // namespace palisade
