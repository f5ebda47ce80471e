#include "ingest/glimpses.h"

#include <utility>

#include "frames/view.h"

namespace palisade {

using std::chrono::steady_clock;

void Glimpses::watch() {
  watched_until_.store(steady_clock::now() + kWatched, std::memory_order_relaxed);
}

bool Glimpses::is_watched(MonotonicTime now) const {
  return now < watched_until_.load(std::memory_order_relaxed);
}

bool Glimpses::due(const FrameStamp& stamp) const {
  if (stamp.corrupt) return false;
  if (!last_ || stamp.jumped || stamp.pts < last_->pts) return true;
  const MonotonicTime now = steady_clock::now();
  return now - last_->at >= kLeast && (is_watched(now) || stamp.pts - last_->pts >= kBetween);
}

// A view costs more than a frame, and most of the time nobody looks.
Clip Glimpses::take(Frame frame, const Image& whole) {
  const MonotonicTime now = steady_clock::now();
  last_ = {.pts = frame.stamp.pts, .at = now};
  if (is_watched(now)) frame.view = view_of(whole);
  Clip clip{.frames = {}, .sampling = sampling()};
  clip.frames.push_back(std::move(frame));
  return clip;
}

}  // namespace palisade
