#include "frames/motion_watch.h"

#include <algorithm>

namespace palisade {
namespace {

using std::chrono::milliseconds;

constexpr MediaTime kInterval = milliseconds(100);
// Pixels of the small picture that begin a motion, and looks that must show them. A thing of kLarge pixels
// needs one look.
constexpr int kBegins = 12;
constexpr int kGoesOn = 4;
constexpr int kLarge = 60;
// A look longer ago than this confirms nothing; a camera that slow is believed at once.
constexpr MediaTime kConfirms = milliseconds(500);
// Motion ends after this long without any.
constexpr MediaTime kStops = milliseconds(1000);
constexpr MediaTime kLearning = milliseconds(500);

}  // namespace

bool MotionWatch::due(const FrameStamp& stamp) {
  const MediaTime step = last_stamp_ ? stamp.pts - *last_stamp_ : MediaTime(0);
  if (step < MediaTime(0)) reset();
  last_stamp_ = stamp.pts;
  if (stamp.corrupt) return false;
  const MediaTime half = std::clamp<MediaTime>(step, MediaTime(0), kInterval) / 2;
  if (last_look_ && stamp.pts < next_ - half) return false;
  next_ = last_look_ ? std::max(next_ + kInterval, stamp.pts + kInterval / 2) : stamp.pts + kInterval;
  return true;
}

void MotionWatch::look(MediaTime pts, const Image& picture) {
  const int moving = detector_.look(picture);
  const MediaTime since = last_look_ ? pts - *last_look_ : MediaTime(0);
  if (!last_look_) known_from_ = pts + kLearning;
  const bool seen_before = last_moving_ >= kBegins || since > kConfirms;
  if (moves_ ? moving >= kGoesOn : moving >= kLarge || (moving >= kBegins && seen_before)) {
    moves_ = true;
    last_motion_ = pts;
  } else if (moves_ && pts - *last_motion_ > kStops) {
    moves_ = false;
  }
  // Unconfirmed motion is not counted.
  if (moves_ && detector_.looked_at() > 0) {
    total_ += double(moving) / detector_.looked_at() * std::chrono::duration<double>(since).count();
  }
  last_moving_ = moving;
  last_look_ = pts;
}

void MotionWatch::reset() {
  detector_.reset();
  last_stamp_.reset();
  last_look_.reset();
  last_motion_.reset();
  last_moving_ = 0;
  moves_ = false;
}

bool MotionWatch::moved_since(MediaTime pts) const {
  return !last_look_ || pts < known_from_ || (last_motion_ && *last_motion_ >= pts);
}

}  // namespace palisade
