#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "frames/pair_matcher.h"

namespace palisade {

// Decides when to tell that a task's pairs with another stream have stopped, and says why. One frame without
// a partner is nothing; some in a row are told once, and again where the cause is another one.
class PairNotice {
 public:
  static constexpr std::uint64_t kInARow = 3;
  // Something to tell, or nothing. `other` is the stream whose frames are missing.
  std::optional<std::string> missed(std::uint64_t count, const PairMiss& last, const std::string& other,
                                    std::chrono::milliseconds gap);
  std::optional<std::string> matched();

 private:
  enum class Cause { kNone, kSilent, kApart };
  std::uint64_t in_a_row_ = 0;
  Cause told_ = Cause::kNone;
};

}  // namespace palisade
