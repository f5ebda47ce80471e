#pragma once

#include <algorithm>
#include <chrono>
#include <random>

#include "ingest/feed.h"

namespace palisade {

// Growing pauses between one stream's attempts.
class Retry {
 public:
  explicit Retry(const RetryPauses& pauses) : pauses_(pauses), random_(std::random_device{}()) {}

  // Counts a failed attempt, or a connection that broke after `online`.
  void count(std::chrono::milliseconds online) {
    if (online >= pauses_.stable) failures_ = 0;
    ++failures_;
  }
  // Number of the next attempt of this series, from 1.
  int attempt() const { return failures_ + 1; }

  // `tried`: duration of the failed attempt. Pauses count from its beginning, so that a camera that does not
  // answer is tried as often as one that refuses.
  std::chrono::milliseconds pause(SourceFault fault, std::chrono::milliseconds tried) {
    std::chrono::milliseconds base = pauses_.first;
    for (int i = 1; i < failures_ && base < pauses_.longest; ++i) base *= 2;
    base = std::max(std::min(base, pauses_.longest) - tried, pauses_.first);
    if (fault == SourceFault::kAuthFailed)
      base = pauses_.after_auth_failure;  // cameras lock out who tries too often
    if (fault == SourceFault::kUnreadable || fault == SourceFault::kRefused) base = pauses_.longest;
    std::uniform_real_distribution<double> spread(0.8, 1.2);
    return std::chrono::milliseconds(std::int64_t(double(base.count()) * spread(random_)));
  }

 private:
  RetryPauses pauses_;
  int failures_ = 0;
  std::minstd_rand random_;
};

}  // namespace palisade
