#include "ingest/time_quality.h"

#include <doctest/doctest.h>

using namespace palisade;
using namespace std::chrono_literals;

namespace {

const MonotonicTime kStart{std::chrono::hours(1)};
const WallTime kNoon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + 12h;

}  // namespace

TEST_CASE("a frame that comes later than the quickest one is so much less certain") {
  ArrivalQuality quality;
  CHECK(quality.uncertainty(0s, kStart) == ArrivalQuality::kLatency);
  CHECK(quality.uncertainty(100ms, kStart + 130ms) == ArrivalQuality::kLatency + 30ms);
  CHECK(quality.uncertainty(200ms, kStart + 200ms) <= ArrivalQuality::kLatency + 1ms);
  // The first ones had been held up: this is the quickest.
  CHECK(quality.uncertainty(300ms, kStart + 250ms) == ArrivalQuality::kLatency);
  CHECK(quality.uncertainty(400ms, kStart + 400ms) == ArrivalQuality::kLatency + 50ms);
}

TEST_CASE("clocks that drift apart and pts that jump do not pile up uncertainty") {
  ArrivalQuality quality;
  quality.uncertainty(0s, kStart);
  for (int hour = 1; hour <= 48; ++hour) {
    // The camera's clock is slow by 100 parts in a million.
    CHECK(quality.uncertainty(hour * 3600s, kStart + hour * 3600s + hour * 360ms) ==
          ArrivalQuality::kLatency);
  }
  CHECK(quality.uncertainty(0s, kStart + 49h) == ArrivalQuality::kLatency);
}

TEST_CASE("sender reports are as certain as they agree") {
  ReportQuality quality;
  CHECK(quality.uncertainty(0s, kNoon) == ReportQuality::kRounding);
  CHECK(quality.uncertainty(100ms, kNoon + 100ms) == ReportQuality::kRounding);
  CHECK(quality.uncertainty(200ms, kNoon + 215ms) == ReportQuality::kRounding + 15ms);
  CHECK(quality.uncertainty(300ms, kNoon + 315ms) == ReportQuality::kRounding + 15ms);
  CHECK(quality.uncertainty(400ms, kNoon + 417ms) == ReportQuality::kRounding + 2ms);
  // The camera's clock has been set.
  CHECK(quality.uncertainty(500ms, kNoon + 1h) == ReportQuality::kRounding);
}
