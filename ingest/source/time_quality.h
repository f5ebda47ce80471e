#pragma once

#include <chrono>
#include <optional>

#include "frames/frame.h"
#include "ingest/source/recent_least.h"

namespace palisade {

// How well the arrival of one connection's frames tells when they were taken: camera and network take a time
// that nobody knows, and a frame that came later than the quickest one was held up on the way.
class ArrivalQuality {
 public:
  static constexpr std::chrono::milliseconds kLatency{200};
  // Once for each frame, in order.
  std::chrono::milliseconds uncertainty(MediaTime pts, MonotonicTime arrival);

 private:
  static constexpr std::chrono::seconds kRemembers{10};
  RecentLeast quickest_{kRemembers};  // arrival less pts, on the steady clock's scale
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

// Whether a camera's clock may be believed. No frame arrives before it was taken, and the quickest come
// within a few seconds: where reports say otherwise, either the camera's clock or this machine's is wrong,
// and frames have the time of their arrival, which at least agrees with everything else here.
class ClockDoubt {
 public:
  static constexpr std::chrono::seconds kMaxAhead{2};
  static constexpr std::chrono::seconds kMaxBehind{5};
  // Once for each frame that a report tells the time of, in order; `sent` is that time.
  void compare(MediaTime pts, WallTime sent, WallTime arrived, MonotonicTime now);
  // How far ahead of ours the camera's clock is, by the quickest of the last frames.
  std::chrono::milliseconds ahead() const { return std::chrono::floor<std::chrono::milliseconds>(ahead_); }
  bool doubted() const { return doubted_; }
  // What is added to the uncertainty of times that are believed: nobody knows whether it is the clock or the
  // way that makes so much of a difference.
  std::chrono::milliseconds uncertainty() const;

 private:
  static constexpr std::chrono::seconds kRemembers{10};
  RecentLeast quickest_{kRemembers};  // arrival less sending
  std::optional<WallTime> start_;     // sender's time of pts 0
  MediaTime ahead_{0};
  bool doubted_ = false;
};

// Says when the frames of one live connection were taken, by the best clock there is.
class LiveTimes {
 public:
  // Once for each frame, in order: sets its wall time, where that comes from, and how certain it is. `sent`
  // is what the sender's reports make of its pts.
  void set(FrameStamp& stamp, std::optional<WallTime> sent, WallTime arrived, MonotonicTime arrival);
  // See Source::clock_error().
  std::optional<std::chrono::milliseconds> error() const;

 private:
  ArrivalQuality arrivals_;
  ReportQuality reports_;
  ClockDoubt doubt_;
};

}  // namespace palisade
