#pragma once

#include <algorithm>
#include <optional>

#include "frames/frame.h"

namespace palisade {

// The turns of a file that is read again and again: one film without an end, whose media time, wall time and
// numbers go on. No turn is over sooner than its length, and none sooner than a second, however short the
// file is.
class Turns {
 public:
  static constexpr MediaTime kMinTurn = std::chrono::seconds(1);

  // A frame's stamp in this turn as it is in all of them. Once for each frame, in order.
  FrameStamp going_on(FrameStamp stamp) {
    if (!first_) first_ = stamp.pts;
    if (last_ && stamp.pts > last_->pts) step_ = stamp.pts - last_->pts;
    last_ = stamp;
    return moved(stamp);
  }
  // The same of a stamp that has been seen.
  FrameStamp moved(FrameStamp stamp) const {
    stamp.pts += before_;
    stamp.wall += std::chrono::floor<std::chrono::microseconds>(before_);
    stamp.number += frames_before_;
    return stamp;
  }

  void begin(MonotonicTime now) { *this = Turns(now); }
  // Ends a turn of a file that says that it ends at `end`. Returns when the next one may begin; what reading
  // was late by is not made up for.
  MonotonicTime next(std::optional<MediaTime> end, MonotonicTime now) {
    MediaTime length = kMinTurn;
    if (last_) {
      // Of a single picture only the file knows how long it is shown.
      const MediaTime shown = step_ > MediaTime(0) ? last_->pts + step_ : end.value_or(last_->pts);
      length = std::max(length, shown - *first_);
      frames_before_ += last_->number + 1;
    }
    before_ += length;
    due_ = std::max(due_ + std::chrono::floor<MonotonicTime::duration>(length), now);
    first_.reset();
    last_.reset();
    step_ = MediaTime(0);
    return due_;
  }

  explicit Turns(MonotonicTime now) : due_(now) {}

 private:
  MediaTime before_{0};  // of media time in the turns before
  std::uint64_t frames_before_ = 0;
  MonotonicTime due_;  // when this turn's first frame was
  std::optional<MediaTime> first_;
  std::optional<FrameStamp> last_;
  MediaTime step_{0};
};

}  // namespace palisade
