#include "frames/sampler.h"

#include <algorithm>
#include <set>
#include <utility>

namespace palisade {

Sampler::Sampler(Sampling sampling) : sampling_(sampling) {}

MediaTime Sampler::target(const OpenClip& clip) const {
  if (sampling_.count < 2) return clip.start;
  const auto taken = std::int64_t(clip.frames.size());
  return clip.start + MediaTime(sampling_.span) * taken / (sampling_.count - 1);
}

// The first frame at or after the target less half a frame interval is the nearest one, known without waiting
// for the next.
bool Sampler::due(const OpenClip& clip, const FrameStamp& stamp) const {
  if (sampling_.policy == SamplingPolicy::kStride) {
    return stamp.number >= clip.first_number + clip.frames.size() * std::uint64_t(sampling_.frame_step);
  }
  return stamp.pts >= target(clip) - frame_interval_ / 2;
}

void Sampler::open_clips_up_to(MediaTime pts, std::uint64_t number) {
  const MediaTime stride = std::max<MediaTime>(sampling_.stride, std::chrono::milliseconds(1));
  // After a gap longer than a stride the starts that nobody saw are skipped: their clips would begin with the
  // same frame.
  if (next_start_ + stride <= pts - frame_interval_ / 2) {
    next_start_ += (pts - next_start_) / stride * stride;
  }
  if (pts >= next_start_ - frame_interval_ / 2) {
    open_.push_back({next_start_, number, {}});
    next_start_ += stride;
  }
}

bool Sampler::wants(const FrameStamp& stamp) {
  if (last_) {
    const MediaTime step = stamp.pts - last_->pts;
    const bool first_step = frame_interval_ == MediaTime::zero();
    if (stamp.jumped || step < MediaTime::zero() ||
        (!first_step && step > std::max(kDiscontinuity, 8 * frame_interval_))) {
      reset();
    } else if (step > MediaTime::zero()) {
      // A single gap must not pass for the frame rate, or a frame would be taken for targets far ahead of it.
      frame_interval_ = first_step ? step : std::min(step, 2 * frame_interval_);
    }
  }
  if (!last_) next_start_ = stamp.pts;
  last_ = stamp;
  if (stamp.corrupt) return false;
  open_clips_up_to(stamp.pts, stamp.number);
  return std::any_of(open_.begin(), open_.end(), [&](const OpenClip& clip) { return due(clip, stamp); });
}

std::vector<Clip> Sampler::offer(Frame frame) {
  std::vector<Clip> complete;
  for (OpenClip& clip : open_) {
    // A camera slower than the sampling gives the same frame for several targets.
    while (int(clip.frames.size()) < sampling_.count && due(clip, frame.stamp)) clip.frames.push_back(frame);
  }
  while (!open_.empty() && int(open_.front().frames.size()) == sampling_.count) {
    complete.push_back({std::move(open_.front().frames), sampling_});
    open_.pop_front();
    ++emitted_;
  }
  return complete;
}

std::optional<Clip> Sampler::finish() {
  if (emitted_ > 0 || open_.empty() || open_.front().frames.empty()) return std::nullopt;
  std::vector<Frame> seen = std::move(open_.front().frames);
  Clip clip{{}, sampling_};
  for (int i = 0; i < sampling_.count; ++i) clip.frames.push_back(seen[std::size_t(i) % seen.size()]);
  open_.clear();
  return clip;
}

void Sampler::reset() {
  discarded_ += std::uint64_t(
      std::count_if(open_.begin(), open_.end(), [](const OpenClip& clip) { return !clip.frames.empty(); }));
  open_.clear();
  last_.reset();
  frame_interval_ = MediaTime::zero();
}

std::size_t Sampler::frames_held() const {
  std::set<const void*> distinct;
  for (const OpenClip& clip : open_) {
    for (const Frame& frame : clip.frames) distinct.insert(frame.image.identity());
  }
  return distinct.size();
}

}  // namespace palisade
