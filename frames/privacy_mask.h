#pragma once

#include <vector>

#include "frames/image.h"
#include "frames/region.h"

namespace palisade {

// Blacks out what nobody may see, in whole pixels: one that a polygon touches at all is black, so that no
// resize can bring it back. One thread's: remembers its pixels for the last size of picture.
class PrivacyMask {
 public:
  explicit PrivacyMask(std::vector<Polygon> polygons) : polygons_(std::move(polygons)) {}

  // An 8-bit picture with its masks painted; the same one where there are none.
  Image painted(const Image& picture);

 private:
  struct Run {
    std::size_t first;  // samples
    std::size_t count;
  };
  void measure(int width, int height);

  std::vector<Polygon> polygons_;
  int width_ = 0;
  int height_ = 0;
  std::vector<Run> runs_;
};

}  // namespace palisade
