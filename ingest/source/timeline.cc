#include "ingest/source/timeline.h"

#include <algorithm>

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Hostile timestamps must leave room to calculate with.
constexpr MediaTime kMaxTime = std::chrono::hours(24 * 365 * 100);
constexpr MediaTime kOutOfOrder = milliseconds(250);  // back by less: frames told in another order than shown
constexpr MediaTime kAhead = seconds(1);              // sooner than the quickest frame
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
  // A frame from before the wrap, told after it.
  const bool before =
      timestamp_ && timestamp + wrapped_ > *timestamp_ + *wrap_ / 2 && wrapped_ > MediaTime(0);
  return within_limits(timestamp + wrapped_ - (before ? *wrap_ : MediaTime(0)));
}

MediaTime Timeline::start_of(MediaTime timestamp, bool first) const {
  if (origin_) return std::min(within_limits(*origin_), timestamp);
  // The first frames of a connection may come without, and at once, from where they were probed.
  return within_limits(timestamp - (first ? MediaTime(0) : last_ + frame_interval_));
}

// A file has no time of its own to compare with: a gap in it is a gap. A reader may hand on the last frame
// before a pause when the next one comes: what counts is not the frame before, but the quickest.
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
