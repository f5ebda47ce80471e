#pragma once

#include <optional>
#include <string>
#include <vector>

#include "frames/frame.h"
#include "frames/sampling.h"

namespace palisade {

// 1 to 16 frames in time order, as the model is to see them. A pair is a clip of two frames, and its two
// frames may come from two streams. A frame may stand in several clips: its Image is shared.
struct Clip {
  std::vector<Frame> frames;
  Sampling sampling;
  // Where somebody looks: whether anything has moved since it began or the one before it ended.
  std::optional<bool> moving;
};

// Gives all frames of one connection the wall times that the newest one's sender report makes of their pts.
// Frames from before the first report had that of their arrival, and those before a later one its
// predecessor's: a clip's times would jump. Does nothing where the newest frame has no report.
void restate_wall_times(Clip& clip);

}  // namespace palisade
