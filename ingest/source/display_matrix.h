#pragma once

#include "frames/orientation.h"

namespace palisade {

// How a film or stream turns its pictures for display: a pixel at (x, y), y downwards, is shown at
// (xx * x + xy * y, yx * x + yy * y) less the picture's new origin.
struct DisplayMatrix {
  double xx = 1;
  double xy = 0;
  double yx = 0;
  double yy = 1;

  // The same turned once more by `degrees` against the clock.
  DisplayMatrix turned_left(double degrees) const;
  // The nearest of the eight ways in which a picture can lie.
  Orientation orientation() const;
  // Whether it is one of them, to a degree.
  bool straight() const;
};

}  // namespace palisade
