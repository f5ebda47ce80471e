#pragma once

#include <chrono>
#include <optional>

#include "frames/frame.h"

namespace palisade {

// How well the arrival of one connection's frames tells when they were taken: camera and network take a time
// that nobody knows, and a frame that came later than the quickest one was held up on the way.
class ArrivalQuality {
 public:
  static constexpr std::chrono::milliseconds kLatency{200};
  // Once for each frame, in order.
  std::chrono::milliseconds uncertainty(MediaTime pts, MonotonicTime arrival);

 private:
  std::optional<MediaTime> quickest_;  // least arrival less pts, on the steady clock's scale
  MonotonicTime last_;
};

// How well a camera's sender reports tell when its frames were taken, by its own clock: as well as they agree
// with each other.
class ReportQuality {
 public:
  static constexpr std::chrono::milliseconds kRounding{20};  // of the clocks that a report compares
  // Once for each frame, in order; `wall` is what the latest report makes of `pts`.
  std::chrono::milliseconds uncertainty(MediaTime pts, WallTime wall);

 private:
  std::optional<WallTime> start_;  // wall time of pts 0
  std::chrono::microseconds step_{0};
};

}  // namespace palisade
