#pragma once

#include <optional>

#include "base/clock.h"
#include "ingest/source/recent_least.h"

namespace palisade {

// Makes one connection's media time of timestamps that cannot be trusted: it begins at 0, or where a file
// says that it does, and never goes back. A counter that wraps goes on. Timestamps that jump, back or ahead
// of all frames that came in time, or that stand still while frames come, are followed from where the clock
// stands now, and the frame says so. A pause is no jump, whether its time is missing from the timestamps or
// not. A live stream that jumps again and again, or has no timestamps, is timed by the arrival of its frames;
// a file by its frame rate.
class Timeline {
 public:
  // `wrap`: how far the timestamps count before they begin at 0 again, where that is known. `origin`: the
  // timestamp of media time 0, if that is not the first frame's.
  Timeline(bool live, MediaTime frame_interval, std::optional<MediaTime> wrap = {},
           std::optional<MediaTime> origin = {})
      : live_(live), frame_interval_(frame_interval), wrap_(wrap), origin_(origin) {}

  struct Moment {
    MediaTime pts{0};
    bool jumped = false;
  };
  // `frames`: how many have passed since the last one, this one included.
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
  std::optional<MediaTime> timestamp_;  // the last one, unwrapped
  MediaTime wrapped_{0};                // to be added
  std::optional<MonotonicTime> arrival_;
  MonotonicTime moved_on_;              // when media time last did
  std::optional<MonotonicTime> still_;  // since when frames have come while it stood still
  RecentLeast quickest_{kRemembers};    // arrival less pts of the frames that came soonest
  MonotonicTime jumped_;
  int jumps_ = 0;  // in a row
  MediaTime last_{0};
};

}  // namespace palisade
