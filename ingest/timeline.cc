#include "ingest/timeline.h"

#include <algorithm>

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Hostile timestamps must leave room to calculate with.
constexpr MediaTime kLongest = std::chrono::hours(24 * 365 * 100);
constexpr MediaTime kOutOfOrder = milliseconds(250);  // back by less: frames told in another order than shown
constexpr MediaTime kAhead = seconds(1);              // more than the time that has passed here
constexpr MediaTime kStandstill = seconds(1);
constexpr MediaTime kInARow = seconds(10);
constexpr int kMaxJumps = 3;

MediaTime within_limits(MediaTime time) {
  return std::clamp(time, -kLongest, kLongest);
}

}  // namespace

MediaTime Timeline::unwrapped(MediaTime timestamp) {
  timestamp = within_limits(timestamp);
  if (!wrap_ || *wrap_ <= MediaTime(0) || *wrap_ > kLongest / 2) return timestamp;
  if (timestamp_ && timestamp + wrapped_ < *timestamp_ - *wrap_ / 2)
    wrapped_ = within_limits(wrapped_ + *wrap_);
  // A frame from before the wrap, told after it.
  const bool before =
      timestamp_ && timestamp + wrapped_ > *timestamp_ + *wrap_ / 2 && wrapped_ > MediaTime(0);
  return within_limits(timestamp + wrapped_ - (before ? *wrap_ : MediaTime(0)));
}

// A file has no time of its own to compare with: a gap in it is a gap.
bool Timeline::jumps(MediaTime step, MediaTime waited, MonotonicTime arrival) const {
  if (step < -kOutOfOrder) return true;
  return live_ && (step > waited + kAhead || (step <= MediaTime(0) && arrival - moved_on_ > kStandstill));
}

MediaTime Timeline::jump(MediaTime timestamp, MediaTime waited, MonotonicTime arrival) {
  jumps_ = arrival - jumped_ < kInARow ? jumps_ + 1 : 1;
  jumped_ = arrival;
  // Of a clock that stood still: what it has missed.
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
    // The first frames of a connection may come without, and at once, from where they were probed.
    if (!start_) start_ = within_limits(*timestamp_ - (first ? MediaTime(0) : last_ + frame_interval_));
    moment.pts = within_limits(*timestamp_ - *start_);
    moment.jumped = !first && jumps(moment.pts - last_, waited, arrival);
    if (moment.jumped) moment.pts = jump(*timestamp_, waited, arrival);
  }
  moment.pts = std::clamp(moment.pts, last_, kLongest);
  if (moment.pts > last_) moved_on_ = arrival;
  last_ = moment.pts;
  arrival_ = arrival;
  return moment;
}

}  // namespace palisade
