#include "ingest/time_quality.h"

namespace palisade {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// A held-up frame is never so late: pts have jumped.
constexpr std::chrono::seconds kJump{5};
// The camera's oscillator against ours: the quickest frame of an hour ago says little.
constexpr int kDriftPerMillion = 200;
// A report that moves the clock further has set it, and is right from there on.
constexpr std::chrono::seconds kClockSet{1};
constexpr milliseconds kSameReport{1};

}  // namespace

milliseconds ArrivalQuality::uncertainty(MediaTime pts, MonotonicTime arrival) {
  const MediaTime took = arrival.time_since_epoch() - pts;
  if (quickest_) *quickest_ += (arrival - last_) * kDriftPerMillion / 1'000'000;
  last_ = arrival;
  if (!quickest_ || took < *quickest_ || took > *quickest_ + kJump) quickest_ = took;
  return kLatency + std::chrono::ceil<milliseconds>(took - *quickest_);
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

}  // namespace palisade
