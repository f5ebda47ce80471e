#include "frames/view.h"

#include <algorithm>
#include <cmath>

#include "frames/resize.h"

namespace palisade {

Image view_of(const Image& picture) {
  const double scale =
      std::min({1.0, double(kViewWidth) / picture.width(), double(kViewHeight) / picture.height()});
  const auto side = [&](int length) { return std::max(1, int(std::lround(scale * length))); };
  return resize(picture, side(picture.width()), side(picture.height()), ResizePreset::kHfBilinear);
}

}  // namespace palisade
