#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "frames/clip.h"

namespace palisade {

// Why a frame found no partner.
struct PairMiss {
  bool silent = false;  // the second stream has brought no frame since the one before
  std::optional<std::chrono::microseconds>
      nearest;  // the nearest frame's time less its own, if there was any
};

// Pairs each frame of a first stream with the frame of a second one that was seen at the nearest wall time.
// Pure: no thread, no clock but the frames'. Holds at most kMaxWaiting and kMaxHeld frames.
class PairMatcher {
 public:
  explicit PairMatcher(std::chrono::milliseconds allowed_gap) : gap_(allowed_gap) {}

  // Each returns the pairs that it completes, oldest first; in a pair the first stream's frame comes first.
  std::vector<Clip> offer_first(Frame frame);
  std::vector<Clip> offer_second(Frame frame);

  // Frames of the first stream that no frame of the second came near enough to.
  std::uint64_t unmatched() const { return unmatched_; }
  // Why the last of those frames found none.
  const PairMiss& last_miss() const { return last_miss_; }

  static constexpr std::size_t kMaxWaiting = 4;
  static constexpr std::size_t kMaxHeld = 64;

 private:
  std::vector<Clip> match(bool even_if_a_nearer_may_come);

  std::chrono::microseconds gap_;
  std::deque<Frame> waiting_;  // of the first stream
  std::deque<Frame> held_;     // of the second
  bool second_came_ = false;   // since a frame of the first was last paired or missed
  std::uint64_t unmatched_ = 0;
  PairMiss last_miss_;
};

}  // namespace palisade
