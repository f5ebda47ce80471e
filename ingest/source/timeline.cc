#include "ingest/source/timeline.h"

#include <algorithm>

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Larger timestamps are ignored, so that calculating with hostile ones cannot overflow.
constexpr MediaTime kMaxTime = std::chrono::hours(24 * 365 * 100);
constexpr MediaTime kOutOfOrder = milliseconds(250);  // frames may come out of order by less than this
constexpr MediaTime kAhead = seconds(1);              // how far ahead of the fastest frame is a jump
constexpr MediaTime kStandstill = seconds(1);
constexpr MediaTime kInARow = seconds(10);
constexpr int kMaxJumps = 3;

MediaTime within_limits(MediaTime time) {
  return std::clamp(time, -kMaxTime, kMaxTime);
}

}  // namespace

MediaTime Timeline::unwrapped(MediaTime timestamp) {
  timestamp = within_limits(timestamp);
  if (!wrap_ || *wrap_ <= MediaTime(0) || *wrap_ > kMaxTime / 2) return timestamp;
  if (timestamp_ && timestamp + wrapped_ < *timestamp_ - *wrap_ / 2)
    wrapped_ = within_limits(wrapped_ + *wrap_);
  // A frame from before the wrap that comes out of order.
  const bool before =
      timestamp_ && timestamp + wrapped_ > *timestamp_ + *wrap_ / 2 && wrapped_ > MediaTime(0);
  return within_limits(timestamp + wrapped_ - (before ? *wrap_ : MediaTime(0)));
}

MediaTime Timeline::start_of(MediaTime timestamp, bool first) const {
  if (origin_) return std::min(within_limits(*origin_), timestamp);
  // The first frames may lack timestamps and come all at once, because they were buffered while the format
  // was probed.
  return within_limits(timestamp - (first ? MediaTime(0) : last_ + frame_interval_));
}

// For a file, arrival says nothing, so a gap is never a jump. For a live stream the fastest frame is the
// reference and not the one before, which a reader may deliver only when the next one comes.
bool Timeline::jumps(MediaTime pts, MonotonicTime arrival) {
  if (pts - last_ < -kOutOfOrder) return true;
  if (!live_) return false;
  const MediaTime took = arrival.time_since_epoch() - pts;
  const std::optional<MediaTime> quickest = quickest_.value();
  if (quickest && took < *quickest - kAhead) return true;
  return pts <= last_ && still_ && arrival - *still_ > kStandstill;
}

MediaTime Timeline::jump(MediaTime timestamp, MediaTime waited, MonotonicTime arrival) {
  jumps_ = arrival - jumped_ < kInARow ? jumps_ + 1 : 1;
  jumped_ = arrival;
  // The time that passed while the clock stood still.
  const MediaTime pts = last_ + (live_ ? std::max<MediaTime>(waited, arrival - moved_on_) : waited);
  start_ = within_limits(timestamp - pts);
  return pts;
}

Timeline::Moment Timeline::at(std::optional<MediaTime> timestamp, MonotonicTime arrival, int frames) {
  const bool first = !arrival_;
  MediaTime waited = frames * frame_interval_;
  if (live_ && !first) waited = std::max<MediaTime>(arrival - *arrival_, milliseconds(1));
  if (first) waited = MediaTime(0);
  if (first) moved_on_ = arrival;
  Moment moment{last_ + waited, false};
  const bool trusted = !live_ || jumps_ <= kMaxJumps;
  if (timestamp && trusted) {
    timestamp_ = unwrapped(*timestamp);
    if (!start_) start_ = start_of(*timestamp_, first);
    moment.pts = within_limits(*timestamp_ - *start_);
    moment.jumped = !first && jumps(moment.pts, arrival);
    if (moment.jumped) moment.pts = jump(*timestamp_, waited, arrival);
  }
  moment.pts = std::clamp(moment.pts, last_, kMaxTime);
  if (moment.pts > last_) {
    moved_on_ = arrival;
    still_.reset();
  } else if (!still_) {
    still_ = arrival;
  }
  quickest_.add(arrival.time_since_epoch() - moment.pts, arrival);
  last_ = moment.pts;
  arrival_ = arrival;
  return moment;
}

}  // namespace palisade
