#pragma once

#include "frames/image.h"

namespace palisade {

// How a stored picture lies, numbered as EXIF does: what has to be done to it so that it stands upright.
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

// The picture as people see it; the same one, not copied, where it stands upright already.
Image upright(const Image& picture, Orientation orientation);

}  // namespace palisade
