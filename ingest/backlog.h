#pragma once

#include <algorithm>
#include <optional>
#include <string>

#include "ingest/source.h"

namespace palisade {

// How much later than at best the frames of one connection come. What has piled up in a camera, behind a
// network that is too slow or a machine that does not keep up, goes away with the connection only.
class Backlog {
 public:
  // Throws SourceError (kStalled) where a frame comes `allowed` late.
  void check(MediaTime pts, MonotonicTime arrival, std::chrono::milliseconds allowed) {
    const MediaTime delay = arrival.time_since_epoch() - pts;
    if (!since_ || arrival - *since_ > kPeriod) {
      before_ = since_ ? least_ : delay;
      least_ = delay;
      since_ = arrival;
    }
    least_ = std::min(least_, delay);
    const MediaTime late = delay - std::min(before_, least_);
    if (late <= allowed) return;
    const auto late_ms = std::chrono::floor<std::chrono::milliseconds>(late).count();
    throw SourceError(SourceFault::kStalled, "frames come " + std::to_string(late_ms) +
                                                 " ms late: network or machine is too slow; opened anew");
  }

 private:
  // Clocks of cameras drift, by some milliseconds in this time.
  static constexpr std::chrono::minutes kPeriod{5};
  std::optional<MonotonicTime> since_;
  MediaTime least_{0};   // since then
  MediaTime before_{0};  // in the period before
};

}  // namespace palisade
