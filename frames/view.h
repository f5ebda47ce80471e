#pragma once

#include "frames/image.h"

namespace palisade {

// A picture for people: at most kViewWidth x kViewHeight, with the camera's aspect, never enlarged.
inline constexpr int kViewWidth = 640, kViewHeight = 1280;

Image view_of(const Image& picture);

}  // namespace palisade
