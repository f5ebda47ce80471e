#pragma once

#include <atomic>
#include <chrono>
#include <optional>

#include "frames/clip.h"

namespace palisade {

// The pictures that a Feed gives for people, between the windows of its samplings: two a second of the
// stream's own time, and while somebody watches five a second, with views. The Feed's thread's, except
// watch().
class Glimpses {
 public:
  static constexpr std::chrono::milliseconds kBetween{480};  // half a second, by cameras that are a bit early
  static constexpr std::chrono::milliseconds kLeast{190};  // also of a film that is read faster than it plays
  static constexpr std::chrono::seconds kWatched{3};       // after watch()

  void watch();
  // Whether the frame of this stamp is to be one.
  bool due(const FrameStamp& stamp) const;
  // A clip of this frame, at the model's size; `whole` is its picture as large as the camera's.
  Clip take(Frame frame, const Image& whole);
  void reset() { last_.reset(); }  // of another connection

  // What such a clip says of its sampling.
  static Sampling sampling() { return {.count = 1, .span = std::chrono::milliseconds(0), .stride = kLeast}; }

 private:
  bool is_watched(MonotonicTime now) const;

  struct Last {
    MediaTime pts{0};
    MonotonicTime at{};
  };
  std::optional<Last> last_;
  std::atomic<MonotonicTime> watched_until_{MonotonicTime{}};
};

}  // namespace palisade
