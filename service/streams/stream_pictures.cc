#include "service/streams/stream_pictures.h"

#include <utility>

#include "ingest/glimpses.h"

namespace palisade {

void StreamPictures::show(const Frame& frame) {
  if (!frame.view.empty() || !newest_ || newest_->frame.view.empty())
    newest_ = {.frame = frame, .at = std::chrono::steady_clock::now()};
}

void StreamPictures::add(const Frame& frame) {
  const std::lock_guard lock(mutex_);
  show(frame);
}

void StreamPictures::add_glimpse(Frame frame) {
  const std::lock_guard lock(mutex_);
  show(frame);
  frame.view = {};
  const auto begins_anew = [&] { return frame.stamp.jumped || frame.stamp.pts < glimpses_.back().stamp.pts; };
  if (!glimpses_.empty() && begins_anew()) glimpses_.clear();
  if (!glimpses_.empty() && frame.stamp.pts - glimpses_.back().stamp.pts < Glimpses::kBetween) return;
  glimpses_.push_back(std::move(frame));
  while (glimpses_.size() > kMost || glimpses_.back().stamp.pts - glimpses_.front().stamp.pts > kSpan)
    glimpses_.pop_front();
}

std::optional<NewestPicture> StreamPictures::newest() const {
  const std::lock_guard lock(mutex_);
  return newest_;
}

std::vector<Frame> StreamPictures::last(std::chrono::milliseconds span) const {
  const std::lock_guard lock(mutex_);
  std::vector<Frame> found;
  for (const Frame& frame : glimpses_) {
    if (glimpses_.back().stamp.pts - frame.stamp.pts <= span) found.push_back(frame);
  }
  return found;
}

}  // namespace palisade
