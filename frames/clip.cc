#include "frames/clip.h"

#include <algorithm>

namespace palisade {

const Frame& latest(const Clip& clip) {
  if (!clip.tiled) return clip.frames.back();
  return *std::ranges::max_element(clip.frames, {}, [](const Frame& frame) { return frame.stamp.pts; });
}

void restate_wall_times(Clip& clip) {
  if (clip.frames.empty() || latest(clip).stamp.time_source != TimeSource::kRtcp) return;
  const FrameStamp newest = latest(clip).stamp;
  for (Frame& frame : clip.frames) {
    frame.stamp.wall =
        newest.wall - std::chrono::floor<std::chrono::microseconds>(newest.pts - frame.stamp.pts);
    frame.stamp.time_source = newest.time_source;
    frame.stamp.time_uncertainty = newest.time_uncertainty;
  }
}

}  // namespace palisade
