#pragma once

#include <optional>

#include "frames/frame.h"

namespace palisade {

// Makes one connection's media time of timestamps that cannot be trusted: it begins at 0 and never goes back.
// A counter that wraps goes on. Timestamps that jump, back or ahead of the time that has passed here, or that
// stand still, are followed from where the clock stands now, and the frame says so. A live stream that does
// it again and again, or has no timestamps, is timed by the arrival of its frames; a file by its frame rate.
class Timeline {
 public:
  // `wrap`: how far the timestamps count before they begin at 0 again, where that is known.
  Timeline(bool live, MediaTime frame_interval, std::optional<MediaTime> wrap = {})
      : live_(live), frame_interval_(frame_interval), wrap_(wrap) {}

  struct Moment {
    MediaTime pts{0};
    bool jumped = false;
  };
  // `frames`: how many have passed since the last one, this one included.
  Moment at(std::optional<MediaTime> timestamp, MonotonicTime arrival, int frames = 1);

 private:
  MediaTime unwrapped(MediaTime timestamp);
  bool jumps(MediaTime step, MediaTime waited, MonotonicTime arrival) const;
  MediaTime jump(MediaTime timestamp, MediaTime waited, MonotonicTime arrival);

  const bool live_;
  const MediaTime frame_interval_;
  const std::optional<MediaTime> wrap_;
  std::optional<MediaTime> start_;      // timestamp of media time 0
  std::optional<MediaTime> timestamp_;  // the last one, unwrapped
  MediaTime wrapped_{0};                // to be added
  std::optional<MonotonicTime> arrival_;
  MonotonicTime moved_on_;  // when media time last did
  MonotonicTime jumped_;
  int jumps_ = 0;  // in a row
  MediaTime last_{0};
};

}  // namespace palisade
