#include "frames/clip.h"

#include <doctest/doctest.h>

using namespace palisade;
using namespace std::chrono_literals;

namespace {

const WallTime kNoon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + 12h;

Frame frame_at(MediaTime pts, WallTime wall, TimeSource source, std::chrono::milliseconds uncertainty) {
  return {.stamp = {.pts = pts, .wall = wall, .time_source = source, .time_uncertainty = uncertainty}};
}

}  // namespace

TEST_CASE("frames from before the first sender report get its times") {
  // The frames arrive 300 ms after they were taken, one of them 40 ms later still.
  Clip clip{{frame_at(1s, kNoon + 300ms, TimeSource::kArrival, 200ms),
             frame_at(1100ms, kNoon + 440ms, TimeSource::kArrival, 240ms),
             frame_at(1200ms, kNoon + 200ms, TimeSource::kRtcp, 20ms)},
            {}};
  restate_wall_times(clip);
  for (int i = 0; i < 3; ++i) {
    const FrameStamp& stamp = clip.frames[i].stamp;
    CHECK(stamp.wall == kNoon + 100ms * i);
    CHECK(stamp.time_source == TimeSource::kRtcp);
    CHECK(stamp.time_uncertainty == 20ms);
  }
}

TEST_CASE("a report that corrects its predecessor corrects the whole clip") {
  Clip clip{
      {frame_at(0s, kNoon + 7s, TimeSource::kRtcp, 20ms), frame_at(1s, kNoon + 1s, TimeSource::kRtcp, 25ms)},
      {}};
  restate_wall_times(clip);
  CHECK(clip.frames[0].stamp.wall == kNoon);
}

TEST_CASE("without a report every frame keeps the time it has") {
  for (const TimeSource source : {TimeSource::kArrival, TimeSource::kFile}) {
    Clip clip{{frame_at(0s, kNoon + 7s, source, 200ms), frame_at(1s, kNoon + 9s, source, 200ms)}, {}};
    restate_wall_times(clip);
    CHECK(clip.frames[0].stamp.wall == kNoon + 7s);
    CHECK(clip.frames[0].stamp.time_source == source);
  }
}
