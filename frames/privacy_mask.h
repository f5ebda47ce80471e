#pragma once

#include <vector>

#include "frames/image.h"
#include "frames/region.h"

namespace palisade {

// Paints regions black. Every pixel that a polygon touches becomes black, so that no resize can bring it
// back. Used by one thread; remembers the pixels for the last picture size.
class PrivacyMask {
 public:
  explicit PrivacyMask(std::vector<Polygon> polygons) : polygons_(std::move(polygons)) {}

  // The masked 8-bit picture; the same Image without masks.
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
