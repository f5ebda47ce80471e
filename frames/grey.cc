#include "frames/grey.h"

#include <algorithm>
#include <cassert>

namespace palisade {

Grey small_grey(const Image& picture, int width, int height) {
  assert(!picture.is_float());
  constexpr int kSamplesASide = 8;
  Grey grey{std::min(width, picture.width()), std::min(height, picture.height()), {}};
  grey.luma.resize(std::size_t(grey.width) * grey.height);
  const auto edge = [](int i, int cells, int pixels) { return int(std::int64_t(i) * pixels / cells); };
  const int step_x = std::max(1, picture.width() / grey.width / kSamplesASide);
  const int step_y = std::max(1, picture.height() / grey.height / kSamplesASide);
  for (int row = 0; row < grey.height; ++row) {
    const int top = edge(row, grey.height, picture.height());
    const int bottom = edge(row + 1, grey.height, picture.height());
    for (int column = 0; column < grey.width; ++column) {
      const int left = edge(column, grey.width, picture.width());
      const int right = edge(column + 1, grey.width, picture.width());
      std::uint32_t sum = 0;
      std::uint32_t count = 0;
      for (int y = top; y < bottom; y += step_y) {
        const std::uint8_t* const line = picture.u8().data() + std::size_t(y) * picture.width() * 3;
        for (int x = left; x < right; x += step_x, ++count) {
          // BT.601 luma in 1/256.
          sum += 77u * line[3 * x] + 150u * line[3 * x + 1] + 29u * line[3 * x + 2];
        }
      }
      grey.luma[std::size_t(row) * grey.width + column] = float(sum) / float(256 * count);
    }
  }
  return grey;
}

}  // namespace palisade
