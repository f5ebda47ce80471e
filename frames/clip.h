#pragma once

#include <optional>
#include <string>
#include <vector>

#include "frames/frame.h"
#include "frames/sampling.h"

namespace palisade {

// 1, 2 or 16 frames in time order, as the model is to see them. A pair is a clip of two frames, and its two
// frames may come from two streams. A frame may stand in several clips: its Image is shared.
struct Clip {
  std::vector<Frame> frames;
  Sampling sampling;
  // Where somebody looks: whether anything has moved since it began or the one before it ended.
  std::optional<bool> moving;
};

}  // namespace palisade
