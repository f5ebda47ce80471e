#pragma once

#include "frames/image.h"

namespace palisade {

// Orientation of a stored picture, numbered as in EXIF: what makes it upright.
enum class Orientation {
  kUpright = 1,
  kMirror = 2,  // left becomes right
  kHalfTurn = 3,
  kFlip = 4,        // top becomes bottom
  kTranspose = 5,   // rows become columns
  kTurnRight = 6,   // a quarter turn clockwise
  kTransverse = 7,  // rows become columns, from the last ones on
  kTurnLeft = 8,
};

// The upright picture; the same Image where it is upright already.
Image upright(const Image& picture, Orientation orientation);

}  // namespace palisade
