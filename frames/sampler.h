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

  // Whether offer() would keep the frame of this stamp. Sees every stamp once, in order; one that has jumped,
  // or whose pts goes back or ahead by more than kDiscontinuity (or eight frame intervals) starts anew (see
  // discarded()). The keyframes policy looks at keyframes alone and allows them kKeyframesApart.
  bool wants(const FrameStamp& stamp);
  // Takes a frame that wants() has just accepted. Returns the clips that it completes, oldest first.
  std::vector<Clip> offer(Frame frame);
  // The stream has ended: a clip tiled cyclically from what was seen (frames 0, 1, 2, 0, 1, 2 ...), if the
  // stream was too short for any clip. Nothing otherwise.
  std::optional<Clip> finish();
  // A new connection: open clips are dropped.
  void reset();

  // Clips that were open when a discontinuity or reset() dropped them.
  std::uint64_t discarded() const { return discarded_; }
  std::size_t frames_held() const;
  const Sampling& sampling() const { return sampling_; }

  static constexpr int kCandidates = 4;
  static constexpr MediaTime kDiscontinuity = std::chrono::seconds(5);
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
  bool candidate_due(const FrameStamp& stamp);
  std::vector<Clip> offer_candidate(const Frame& frame);
  void open_clips_up_to(MediaTime pts, std::uint64_t number);

  Sampling sampling_;
  std::deque<OpenClip> open_;
  std::optional<FrameStamp> last_;
  MediaTime frame_interval_{0};  // between the last two frames, or keyframes
  MediaTime next_start_{0};
  MediaTime next_candidate_{0};  // motion policy
  std::uint64_t emitted_ = 0;
  std::uint64_t discarded_ = 0;
};

}  // namespace palisade
