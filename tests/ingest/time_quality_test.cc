#include "ingest/source/time_quality.h"

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
  // The first frames were delayed; this is the fastest.
  CHECK(quality.uncertainty(300ms, kStart + 250ms) == ArrivalQuality::kLatency);
  CHECK(quality.uncertainty(400ms, kStart + 400ms) == ArrivalQuality::kLatency + 50ms);
}

TEST_CASE("clocks that drift apart and pts that jump do not pile up uncertainty") {
  ArrivalQuality quality;
  quality.uncertainty(0s, kStart);
  for (int hour = 1; hour <= 48; ++hour) {
    // The camera's clock is slow by 100 ppm.
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

TEST_CASE("a clock that runs at another pace does not make arrival uncertain for ever") {
  ArrivalQuality quality;
  for (int second = 0; second < 600; ++second)
    CHECK(quality.uncertainty(second * 840ms, kStart + second * 1s) < ArrivalQuality::kLatency + 4s);
}

TEST_CASE("a camera's clock that is seconds off is not believed, and it is known by how much") {
  for (const auto off : {-72h, -2h, 2h, 24h * 400}) {
    LiveTimes times;
    FrameStamp stamp;
    for (int i = 0; i < 50; ++i) {
      const WallTime now = kNoon + i * 100ms;
      stamp.pts = i * 100ms;
      times.set(stamp, now + off - 150ms, now, kStart + i * 100ms);
      CHECK(stamp.wall == now);
      CHECK(stamp.time_source == TimeSource::kArrival);
      CHECK(stamp.time_uncertainty == ArrivalQuality::kLatency);
    }
    REQUIRE(times.error());
    CHECK(std::chrono::abs(*times.error() - off) <= 200ms);
  }
  LiveTimes near;
  FrameStamp stamp;
  near.set(stamp, kNoon + 3s, kNoon, kStart);
  CHECK(near.error() == 3s);
  near.set(stamp, {}, kNoon, kStart);
  CHECK(stamp.time_source == TimeSource::kArrival);
  // A clock that is behind by as much cannot be told from network delay.
  LiveTimes slow;
  slow.set(stamp, kNoon - 3s, kNoon, kStart);
  CHECK(stamp.time_source == TimeSource::kRtcp);
  CHECK(stamp.time_uncertainty == ReportQuality::kRounding + 2800ms);
  slow.set(stamp, kNoon - 6s, kNoon, kStart);
  CHECK(stamp.time_source == TimeSource::kArrival);
}

TEST_CASE("a clock that is off by less is believed, and the difference is its uncertainty") {
  LiveTimes times;
  FrameStamp stamp;
  times.set(stamp, kNoon - 100ms, kNoon, kStart);
  CHECK(stamp.time_source == TimeSource::kRtcp);
  CHECK(stamp.wall == kNoon - 100ms);
  CHECK(stamp.time_uncertainty == ReportQuality::kRounding);
  LiveTimes ahead;
  ahead.set(stamp, kNoon + 1500ms, kNoon, kStart);
  CHECK(stamp.time_source == TimeSource::kRtcp);
  CHECK(stamp.time_uncertainty == ReportQuality::kRounding + 1300ms);
}

TEST_CASE("frames that were held up are no fault of the clock; one that is set is judged anew") {
  LiveTimes times;
  FrameStamp stamp;
  const auto frame = [&](int i, std::chrono::milliseconds set, std::chrono::milliseconds late) {
    const WallTime taken = kNoon + i * 100ms;
    stamp.pts = i * 100ms;
    times.set(stamp, taken + set, taken + late, kStart + i * 100ms + late);
    return stamp.time_source;
  };
  for (int i = 0; i < 20; ++i) CHECK(frame(i, 0ms, 50ms) == TimeSource::kRtcp);
  for (int i = 20; i < 80; ++i) CHECK(frame(i, 0ms, 8s - (i - 20) * 100ms) == TimeSource::kRtcp);
  for (int i = 80; i < 90; ++i) CHECK(frame(i, 1h, 50ms) == TimeSource::kArrival);
  CHECK(times.error());
  for (int i = 90; i < 99; ++i) CHECK(frame(i, 0ms, 50ms) == TimeSource::kRtcp);
  CHECK_FALSE(times.error());
}

TEST_CASE("a clock that drifts is doubted once, and believed again when it is well within a second") {
  LiveTimes times;
  FrameStamp stamp;
  int changes = 0;
  TimeSource last = TimeSource::kRtcp;
  for (int i = 0; i < 8'000; ++i) {  // two and a half seconds to and fro
    const auto off = std::chrono::milliseconds(i < 4'000 ? i * 5 / 8 : (8'000 - i) * 5 / 8);
    stamp.pts = i * 100ms;
    times.set(stamp, kNoon + i * 100ms + off, kNoon + i * 100ms, kStart + i * 100ms);
    changes += stamp.time_source != last;
    last = stamp.time_source;
  }
  CHECK(changes == 2);
  CHECK(last == TimeSource::kRtcp);
}
