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
  // Whether anything moved since this clip began or the previous one ended; nothing where nobody watches for
  // motion.
  std::optional<bool> moving;
  // The stretch was too short for it, so its frames repeat from the first one.
  bool tiled = false;
  // Windows of the same sampling lost since the previous clip: at pauses, jumps and lost connections.
  std::uint64_t lost_before = 0;
};

// The newest frame, which is not the last one of a tiled clip. Of a pair the second one.
const Frame& latest(const Clip& clip);

// Restates the wall times of all frames of one connection by the newest frame's sender report. Frames before
// that report had arrival times or an earlier report's, so the clip's times would jump. Does nothing where
// the newest frame has no report.
void restate_wall_times(Clip& clip);

}  // namespace palisade
