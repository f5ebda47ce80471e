#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "frames/pair_matcher.h"

namespace palisade {

// Decides when to report that a task gets no more pairs with another stream, and why. A single frame without
// a partner is not reported; kInARow of them are, once, and again when the cause changes.
class PairNotice {
 public:
  static constexpr std::uint64_t kInARow = 3;
  // Both return a message to report, or nothing. `other` is the stream whose frames are missing.
  std::optional<std::string> missed(std::uint64_t count, const PairMiss& last, const std::string& other,
                                    std::chrono::milliseconds gap);
  std::optional<std::string> matched();

 private:
  enum class Cause { kNone, kSilent, kApart };
  std::uint64_t in_a_row_ = 0;
  Cause told_ = Cause::kNone;
};

}  // namespace palisade
