#pragma once

#include <chrono>
#include <optional>

#include "frames/frame.h"
#include "ingest/source/recent_least.h"

namespace palisade {

// Estimates how far the arrival of a frame may be from the moment when it was taken: an unknown latency of
// camera and network, plus the frame's delay relative to the fastest recent frame of the connection.
class ArrivalQuality {
 public:
  static constexpr std::chrono::milliseconds kLatency{200};
  // To be called once for each frame, in order.
  std::chrono::milliseconds uncertainty(MediaTime pts, MonotonicTime arrival);

 private:
  static constexpr std::chrono::seconds kRemembers{10};
  RecentLeast quickest_{kRemembers};  // arrival minus pts, on the steady clock's scale
};

// Estimates the error of capture times that come from a camera's RTCP sender reports, by how well the reports
// agree with each other.
class ReportQuality {
 public:
  static constexpr std::chrono::milliseconds kRounding{
      20};  // error of a single report, whose clocks are coarse
  // To be called once for each frame, in order; `wall` is the time of `pts` by the latest report.
  std::chrono::milliseconds uncertainty(MediaTime pts, WallTime wall);

 private:
  std::optional<WallTime> start_;  // wall time of pts 0
  std::chrono::microseconds step_{0};
};

// Decides whether a camera's clock can be trusted. No frame arrives before it was taken, and the fastest
// frames arrive within a few seconds. If the camera's times contradict this, its clock or this machine's
// clock is wrong, and frames are stamped with their arrival, which at least agrees with the other streams of
// this machine.
class ClockDoubt {
 public:
  static constexpr std::chrono::seconds kMaxAhead{2};
  static constexpr std::chrono::seconds kMaxBehind{5};
  // To be called, in order, for each frame whose time `sent` is known from a report.
  void compare(MediaTime pts, WallTime sent, WallTime arrived, MonotonicTime now);
  // How far the camera's clock is ahead of this machine's, judged by the fastest recent frame.
  std::chrono::milliseconds ahead() const { return std::chrono::floor<std::chrono::milliseconds>(ahead_); }
  bool doubted() const { return doubted_; }
  // Added to the uncertainty of trusted times: the difference of the clocks, which cannot be told from
  // network delay.
  std::chrono::milliseconds uncertainty() const;

 private:
  static constexpr std::chrono::seconds kRemembers{10};
  RecentLeast quickest_{kRemembers};  // arrival minus sending
  std::optional<WallTime> start_;     // the sender's time of pts 0
  MediaTime ahead_{0};
  bool doubted_ = false;
};

// Sets the capture times of the frames of one live connection, from the best clock that is available.
class LiveTimes {
 public:
  // To be called once for each frame, in order: sets its wall time, the origin of that time and its
  // uncertainty. `sent` is the frame's time by the sender's reports.
  void set(FrameStamp& stamp, std::optional<WallTime> sent, WallTime arrived, MonotonicTime arrival);
  // See Source::clock_error().
  std::optional<std::chrono::milliseconds> error() const;

 private:
  ArrivalQuality arrivals_;
  ReportQuality reports_;
  ClockDoubt doubt_;
};

}  // namespace palisade
