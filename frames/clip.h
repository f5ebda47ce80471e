#pragma once

#include <cstdint>
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
  // Made of a stretch too short for it: its frames begin again from the first one.
  bool tiled = false;
  // Windows of its sampling that were given up since the one before: at pauses, jumps and lost connections.
  std::uint64_t lost_before = 0;
};

// The frame seen last, which is not a tiled clip's last one. Of a pair its second one.
const Frame& latest(const Clip& clip);

// Gives all frames of one connection the wall times that the newest one's sender report makes of their pts.
// Frames from before the first report had that of their arrival, and those before a later one its
// predecessor's: a clip's times would jump. Does nothing where the newest frame has no report.
void restate_wall_times(Clip& clip);

}  // namespace palisade
