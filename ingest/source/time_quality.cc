#include "ingest/source/time_quality.h"

#include <algorithm>

namespace palisade {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// If a report differs by more, the camera's clock was set, and the new time counts.
constexpr std::chrono::seconds kClockSet{1};
constexpr milliseconds kSameReport{1};

}  // namespace

milliseconds ArrivalQuality::uncertainty(MediaTime pts, MonotonicTime arrival) {
  const MediaTime took = arrival.time_since_epoch() - pts;
  quickest_.add(took, arrival);
  return kLatency + std::chrono::ceil<milliseconds>(took - *quickest_.value());
}

milliseconds ReportQuality::uncertainty(MediaTime pts, WallTime wall) {
  const WallTime start = wall - std::chrono::floor<microseconds>(pts);
  const microseconds moved = start_ ? std::chrono::abs(start - *start_) : microseconds(0);
  if (!start_ || moved >= kSameReport) {
    start_ = start;
    step_ = moved < kClockSet ? moved : microseconds(0);
  }
  return kRounding + std::chrono::ceil<milliseconds>(step_);
}

void ClockDoubt::compare(MediaTime pts, WallTime sent, WallTime arrived, MonotonicTime now) {
  const WallTime start = sent - std::chrono::floor<microseconds>(pts);
  if (start_ && std::chrono::abs(start - *start_) >= kClockSet) quickest_.clear();
  start_ = start;
  quickest_.add(arrived - sent, now);
  ahead_ = -*quickest_.value();
  // Hysteresis: a doubted clock must be well within the limits to be trusted again.
  const int share = doubted_ ? 2 : 1;
  doubted_ = ahead_ > kMaxAhead / share || ahead_ < -kMaxBehind / share;
}

milliseconds ClockDoubt::uncertainty() const {
  const milliseconds off = std::chrono::ceil<milliseconds>(std::chrono::abs(ahead_));
  return std::max(milliseconds(0), off - ArrivalQuality::kLatency);
}

void LiveTimes::set(FrameStamp& stamp, std::optional<WallTime> sent, WallTime arrived,
                    MonotonicTime arrival) {
  const milliseconds by_arrival = arrivals_.uncertainty(stamp.pts, arrival);
  if (sent) doubt_.compare(stamp.pts, *sent, arrived, arrival);
  if (sent && !doubt_.doubted()) {
    stamp.time_source = TimeSource::kRtcp;
    stamp.wall = *sent;
    stamp.time_uncertainty = reports_.uncertainty(stamp.pts, *sent) + doubt_.uncertainty();
  } else {
    stamp.time_source = TimeSource::kArrival;
    stamp.wall = arrived;
    stamp.time_uncertainty = by_arrival;
  }
}

std::optional<milliseconds> LiveTimes::error() const {
  if (!doubt_.doubted()) return std::nullopt;
  return doubt_.ahead();
}

}  // namespace palisade
