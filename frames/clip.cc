#include "frames/clip.h"

namespace palisade {

void restate_wall_times(Clip& clip) {
  if (clip.frames.empty() || clip.frames.back().stamp.time_source != TimeSource::kRtcp) return;
  const FrameStamp newest = clip.frames.back().stamp;
  for (Frame& frame : clip.frames) {
    frame.stamp.wall =
        newest.wall - std::chrono::floor<std::chrono::microseconds>(newest.pts - frame.stamp.pts);
    frame.stamp.time_source = newest.time_source;
    frame.stamp.time_uncertainty = newest.time_uncertainty;
  }
}

}  // namespace palisade
