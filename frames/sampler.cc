#include "frames/sampler.h"

#include <algorithm>
#include <set>
#include <utility>

#include "frames/motion_choice.h"

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

bool Sampler::jumps(MediaTime step) const {
  if (step < MediaTime::zero()) return true;
  const bool keyframes = sampling_.policy == SamplingPolicy::kKeyframes;
  const bool first_step = frame_interval_ == MediaTime::zero();
  return !first_step &&
         step > std::max(keyframes ? kKeyframesApart : kDiscontinuity, kHoleIntervals * frame_interval_);
}

// Whether an open clip would have to take the frame at `pts` for one of long before it.
bool Sampler::leaves_hole(MediaTime step, MediaTime pts) const {
  const bool by_time = sampling_.policy == SamplingPolicy::kUniform && sampling_.count > 1;
  const bool first_step = frame_interval_ == MediaTime::zero();
  if (!by_time || first_step || step <= std::max(kHole, kHoleIntervals * frame_interval_)) return false;
  const MediaTime nearest = std::max<MediaTime>(kHole, sampling_.span / (4 * (sampling_.count - 1)));
  return std::ranges::any_of(open_, [&](const OpenClip& clip) { return pts - target(clip) > nearest; });
}

bool Sampler::wants(const FrameStamp& stamp) {
  if (stamp.jumped) end_stretch();
  if (sampling_.policy == SamplingPolicy::kKeyframes && !stamp.keyframe) return false;
  if (last_) {
    const MediaTime step = stamp.pts - last_->pts;
    if (jumps(step) || leaves_hole(step, stamp.pts)) {
      end_stretch();
      if (step < MediaTime::zero()) forget_shown();
    } else if (step > MediaTime::zero()) {
      // A single gap must not pass for the frame rate, or a frame would be taken for targets far ahead of it.
      frame_interval_ = frame_interval_ == MediaTime::zero() ? step : std::min(step, 2 * frame_interval_);
    }
  }
  if (!last_) next_start_ = stamp.pts;
  last_ = stamp;
  if (stamp.corrupt) return false;
  open_clips_up_to(stamp.pts, stamp.number);
  if (sampling_.policy == SamplingPolicy::kMotion) return candidate_due(stamp);
  return std::any_of(open_.begin(), open_.end(), [&](const OpenClip& clip) { return due(clip, stamp); });
}

// Keyframes are seldom and irregular: the one before may be nearer to a target between the two.
const Frame& Sampler::nearest(const OpenClip& clip, const Frame& frame) const {
  if (sampling_.policy != SamplingPolicy::kKeyframes || clip.frames.empty()) return frame;
  const Frame& before = clip.frames.back();
  return target(clip) - before.stamp.pts < frame.stamp.pts - target(clip) ? before : frame;
}

// One frame serves all open clips. A clip's first and last frame are candidates whatever the interval.
bool Sampler::candidate_due(const FrameStamp& stamp) {
  const MediaTime span = sampling_.span;
  const MediaTime interval =
      std::max<MediaTime>(std::chrono::milliseconds(100), span / (kCandidates * sampling_.count));
  const MediaTime reached = stamp.pts + frame_interval_ / 2;
  const bool ends = std::any_of(open_.begin(), open_.end(), [&](const OpenClip& clip) {
    return clip.frames.empty() || reached >= clip.start + span;
  });
  if (!ends && reached < next_candidate_) return false;
  next_candidate_ = stamp.pts + interval;
  return !open_.empty();
}

std::vector<Clip> Sampler::offer_candidate(const Frame& frame) {
  const MediaTime reached = frame.stamp.pts + frame_interval_ / 2;
  for (OpenClip& clip : open_) clip.frames.push_back(frame);
  std::vector<Clip> complete;
  while (!open_.empty() && reached >= open_.front().start + sampling_.span) {
    complete.push_back(
        {.frames = chosen_by_motion(open_.front().frames, sampling_.count), .sampling = sampling_});
    shown_until_ = frame.stamp.pts;
    restate_wall_times(complete.back());
    open_.pop_front();
    ++emitted_;
  }
  return complete;
}

std::vector<Clip> Sampler::offer(Frame frame) {
  if (sampling_.policy == SamplingPolicy::kMotion) return offer_candidate(frame);
  std::vector<Clip> complete;
  for (OpenClip& clip : open_) {
    // A camera slower than the sampling gives the same frame for several targets.
    while (int(clip.frames.size()) < sampling_.count && due(clip, frame.stamp)) {
      clip.frames.push_back(nearest(clip, frame));
    }
  }
  while (!open_.empty() && int(open_.front().frames.size()) == sampling_.count) {
    complete.push_back({.frames = std::move(open_.front().frames), .sampling = sampling_});
    shown_until_ = frame.stamp.pts;
    restate_wall_times(complete.back());
    open_.pop_front();
    ++emitted_;
  }
  return complete;
}

// What there is for the first open clip, from the beginning again and again until it is full.
std::optional<Clip> Sampler::tiled() {
  if (emitted_ > 0 || open_.empty() || open_.front().frames.empty()) return std::nullopt;
  std::vector<Frame> seen = open_.front().frames;
  Clip clip{.frames = {}, .sampling = sampling_, .moving = {}, .tiled = true};
  if (int(seen.size()) > sampling_.count) seen = chosen_by_motion(seen, sampling_.count);
  for (int i = 0; i < sampling_.count; ++i) clip.frames.push_back(seen[std::size_t(i) % seen.size()]);
  tiled_from_ = open_.front().start;
  if (last_) shown_until_ = last_->pts;
  restate_wall_times(clip);
  return clip;
}

std::optional<Clip> Sampler::finish() {
  std::optional<Clip> clip = tiled();
  if (clip) open_.clear();
  return clip;
}

std::optional<Clip> Sampler::take_ended() {
  return std::exchange(ended_, std::nullopt);
}

void Sampler::end_stretch() {
  const bool soon = !open_.empty() && tiled_from_ && open_.front().start < *tiled_from_ + sampling_.stride;
  // A pair of one picture says nothing.
  if (sampling_.count > 2 && !soon) ended_ = tiled();
  drop_open();
}

void Sampler::reset() {
  drop_open();
  forget_shown();
}

void Sampler::forget_shown() {
  shown_until_.reset();
  tiled_from_.reset();
}

void Sampler::drop_open() {
  discarded_ += std::uint64_t(std::ranges::count_if(open_, [this](const OpenClip& clip) {
    return !clip.frames.empty() && (!shown_until_ || clip.frames.back().stamp.pts > *shown_until_);
  }));
  open_.clear();
  last_.reset();
  emitted_ = 0;
  next_candidate_ = MediaTime::zero();
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
