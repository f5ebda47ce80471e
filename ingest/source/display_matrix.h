#pragma once

#include "frames/orientation.h"

namespace palisade {

// The linear map by which a file or stream turns its pictures for display: the pixel at (x, y), y downwards,
// is shown at (xx * x + xy * y, yx * x + yy * y), relative to the new top left corner.
struct DisplayMatrix {
  double xx = 1;
  double xy = 0;
  double yx = 0;
  double yy = 1;

  // This matrix followed by a counterclockwise rotation.
  DisplayMatrix turned_left(double degrees) const;
  // The nearest of the eight orientations.
  Orientation orientation() const;
  // Whether the matrix is one of the eight orientations, within one degree.
  bool straight() const;
};

}  // namespace palisade
