#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "frames/clip.h"

namespace palisade {

// Picks from one connection's frames those that a Sampling asks for. Pure: no thread, no clock but pts. Holds
// at most the frames of the clips that are open at once, whatever the frame rate: ceil(span / stride) + 1
// clips of `count` frames, most of them shared; to choose by motion, `kCandidates` times as many of one span,
// which its clips share.
class Sampler {
 public:
  explicit Sampler(Sampling sampling);

  // Whether offer() would keep the frame of this stamp. Sees every stamp once, in order. A stretch of the
  // stream ends, and windows begin anew, before one that has jumped, or whose pts goes back or ahead by more
  // than kDiscontinuity (or eight frame intervals); and before one that comes after a hole in which an open
  // clip's frame is missing: a later frame in its place would show what was not then. The keyframes policy
  // looks at keyframes alone and allows them kKeyframesApart.
  bool wants(const FrameStamp& stamp);
  // To be taken after each wants(): what the stretch that it ended was too short for, tiled as by finish().
  // No sooner than a stride after the last one, and no pair.
  std::optional<Clip> take_ended();
  // Takes a frame that wants() has just accepted. Returns the clips that it completes, oldest first.
  std::vector<Clip> offer(Frame frame);
  // The stream has ended: a clip tiled cyclically from what was seen (frames 0, 1, 2, 0, 1, 2 ...), if its
  // last stretch was too short for any clip. Nothing otherwise.
  std::optional<Clip> finish();
  // A new connection: open clips are dropped.
  void reset();

  // Clips that a discontinuity or reset() dropped with frames that no other clip has shown.
  std::uint64_t discarded() const { return discarded_; }
  std::size_t frames_held() const;
  const Sampling& sampling() const { return sampling_; }

  static constexpr int kCandidates = 4;
  static constexpr MediaTime kDiscontinuity = std::chrono::seconds(5);
  static constexpr MediaTime kHole = std::chrono::seconds(1);
  static constexpr int kHoleIntervals = 8;
  // Encoders put a keyframe where the scene changes, and then none for a long while.
  static constexpr MediaTime kKeyframesApart = std::chrono::seconds(60);

 private:
  struct OpenClip {
    MediaTime start;
    std::uint64_t first_number = 0;  // stride policy: number of its first frame
    std::vector<Frame> frames;
  };
  MediaTime target(const OpenClip& clip) const;
  bool due(const OpenClip& clip, const FrameStamp& stamp) const;
  const Frame& nearest(const OpenClip& clip, const Frame& frame) const;
  bool jumps(MediaTime step) const;
  bool leaves_hole(MediaTime step, MediaTime pts) const;
  void end_stretch();
  void drop_open();
  void forget_shown();
  std::optional<Clip> tiled();
  bool candidate_due(const FrameStamp& stamp);
  std::vector<Clip> offer_candidate(const Frame& frame);
  void open_clips_up_to(MediaTime pts, std::uint64_t number);

  Sampling sampling_;
  std::deque<OpenClip> open_;
  std::optional<FrameStamp> last_;
  MediaTime frame_interval_{0};  // between the last two frames, or keyframes
  MediaTime next_start_{0};
  MediaTime next_candidate_{0};           // motion policy
  std::uint64_t emitted_ = 0;             // of this stretch
  std::optional<MediaTime> shown_until_;  // pts of the last frame of the last clip of this connection
  std::optional<MediaTime> tiled_from_;   // where the last clip that was given for a stretch began
  std::optional<Clip> ended_;
  std::uint64_t discarded_ = 0;
};

}  // namespace palisade
