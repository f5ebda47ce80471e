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
  bool silent = false;                               // the second stream gave no frame since the last miss
  std::optional<std::chrono::microseconds> nearest;  // time of the nearest frame minus its own, if any
};

// Pairs each frame of a first stream with the second stream's frame nearest in wall time. Pure: no thread, no
// clock but the frames'. Holds at most kMaxWaiting and kMaxHeld frames.
class PairMatcher {
 public:
  explicit PairMatcher(std::chrono::milliseconds allowed_gap) : gap_(allowed_gap) {}

  // Each returns the completed pairs, oldest first, with the first stream's frame first.
  std::vector<Clip> offer_first(Frame frame);
  std::vector<Clip> offer_second(Frame frame);

  // Frames of the first stream without a partner near enough.
  std::uint64_t unmatched() const { return unmatched_; }
  // Why the last of those had none.
  const PairMiss& last_miss() const { return last_miss_; }

  static constexpr std::size_t kMaxWaiting = 4;
  static constexpr std::size_t kMaxHeld = 64;

 private:
  std::vector<Clip> match(bool even_if_a_nearer_may_come);

  std::chrono::microseconds gap_;
  std::deque<Frame> waiting_;  // of the first stream
  std::deque<Frame> held_;     // of the second
  bool second_came_ = false;   // since the last pair or miss
  std::uint64_t unmatched_ = 0;
  PairMiss last_miss_;
};

}  // namespace palisade
