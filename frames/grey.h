#pragma once

#include <vector>

#include "frames/image.h"

namespace palisade {

// A small grey picture: luma in 0..255, [height, width].
struct Grey {
  int width = 0;
  int height = 0;
  std::vector<float> luma;
};

// Shrinks an 8-bit picture to at most width x height by averaging the pixels of each cell (at most about
// eight a side).
Grey small_grey(const Image& picture, int width, int height);

}  // namespace palisade
