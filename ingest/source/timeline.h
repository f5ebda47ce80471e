#pragma once

#include <optional>

#include "base/clock.h"
#include "ingest/source/recent_least.h"

namespace palisade {

// Turns the timestamps of one connection, which need not be reliable, into media time. Media time begins at
// 0, or where a file says so, never goes back, and continues when the timestamp counter wraps around.
// - If timestamps jump (back, or further ahead than the frames' arrival allows) or stand still, media time
// continues
//   from its present value, and the frame is marked. A pause is not a jump, whether timestamps count it or
//   not.
// - A live stream that jumps repeatedly or has no timestamps is timed by arrival, a file by its frame rate.
class Timeline {
 public:
  // `wrap`: the value at which the timestamp counter starts again from 0, if known. `origin`: the timestamp
  // of media time 0, if it is not that of the first frame.
  Timeline(bool live, MediaTime frame_interval, std::optional<MediaTime> wrap = {},
           std::optional<MediaTime> origin = {})
      : live_(live), frame_interval_(frame_interval), wrap_(wrap), origin_(origin) {}

  struct Moment {
    MediaTime pts{0};
    bool jumped = false;
  };
  // `frames`: the number of frames since the last call, including this one.
  Moment at(std::optional<MediaTime> timestamp, MonotonicTime arrival, int frames = 1);

 private:
  static constexpr std::chrono::seconds kRemembers{10};
  MediaTime unwrapped(MediaTime timestamp);
  MediaTime start_of(MediaTime timestamp, bool first) const;
  bool jumps(MediaTime pts, MonotonicTime arrival);
  MediaTime jump(MediaTime timestamp, MediaTime waited, MonotonicTime arrival);

  const bool live_;
  const MediaTime frame_interval_;
  const std::optional<MediaTime> wrap_;
  const std::optional<MediaTime> origin_;
  std::optional<MediaTime> start_;      // timestamp of media time 0
  std::optional<MediaTime> timestamp_;  // the last timestamp, with wraps added
  MediaTime wrapped_{0};                // sum of all wraps so far
  std::optional<MonotonicTime> arrival_;
  MonotonicTime moved_on_;              // when media time last increased
  std::optional<MonotonicTime> still_;  // since when timestamps have stood still while frames came
  RecentLeast quickest_{kRemembers};    // arrival minus pts of the fastest frames
  MonotonicTime jumped_;
  int jumps_ = 0;  // in a row
  MediaTime last_{0};
};

}  // namespace palisade
