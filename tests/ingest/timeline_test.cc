#include "ingest/source/timeline.h"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

namespace palisade {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kFrameInterval{100};

// A camera of ten frames a second with timestamps that a test chooses.
struct Camera {
  explicit Camera(bool live = true, std::optional<MediaTime> wrap = {})
      : timeline(live, kFrameInterval, wrap) {}
  Timeline timeline;
  MonotonicTime now{};

  Timeline::Moment frame(std::optional<MediaTime> timestamp) {
    now += kFrameInterval;
    return timeline.at(timestamp, now);
  }
};

TEST_CASE("media time begins at 0 whatever the timestamps begin with") {
  for (const MediaTime start : {MediaTime(0), MediaTime(hours(26)), MediaTime(-seconds(5))}) {
    Camera camera;
    for (int i = 0; i < 20; ++i) {
      const Timeline::Moment moment = camera.frame(start + kFrameInterval * i);
      CHECK(moment.pts == kFrameInterval * i);
      CHECK_FALSE(moment.jumped);
    }
  }
}

TEST_CASE("R-13 a counter that wraps goes on, as often as it does") {
  const MediaTime wrap = seconds(60);
  Camera camera(true, wrap);
  for (int i = 0; i < 5'000; ++i) {
    const Timeline::Moment moment = camera.frame((seconds(50) + kFrameInterval * i) % wrap);
    REQUIRE(moment.pts == kFrameInterval * i);
    REQUIRE_FALSE(moment.jumped);
  }
}

TEST_CASE("R-14 a jump of ten seconds, either way, is told and media time goes on from where it was") {
  for (const MediaTime jump : {MediaTime(seconds(10)), MediaTime(-seconds(10)), MediaTime(seconds(2)),
                               MediaTime(-seconds(1)), MediaTime(hours(1000)), MediaTime(-hours(1000))}) {
    CAPTURE(jump.count());
    Camera camera;
    for (int i = 0; i < 40; ++i) {
      const Timeline::Moment moment =
          camera.frame(hours(2) + kFrameInterval * i + (i >= 20 ? jump : MediaTime(0)));
      CHECK(moment.pts == kFrameInterval * i);
      CHECK(moment.jumped == (i == 20));
    }
  }
}

TEST_CASE("a gap in which nothing came is no jump") {
  Camera camera;
  CHECK(camera.frame(seconds(1)).pts == MediaTime(0));
  camera.now += seconds(8);
  const Timeline::Moment after = camera.frame(seconds(9) + kFrameInterval);
  CHECK(after.pts == seconds(8) + kFrameInterval);
  CHECK_FALSE(after.jumped);
}

TEST_CASE("a pause is a gap also where the last frame before it is handed on after it") {
  for (const MediaTime pause : {seconds(2), seconds(3), seconds(9), seconds(25)}) {
    CAPTURE(pause.count());
    Camera camera;
    for (int i = 0; i < 60; ++i) {
      // The reader knows only from the next frame that a frame is complete.
      camera.now += i == 30 ? pause : MediaTime(0);
      const MediaTime stamp = kFrameInterval * i + (i > 30 ? pause : MediaTime(0));
      const Timeline::Moment moment = camera.frame(stamp);
      CHECK(moment.pts == stamp);
      CHECK_FALSE(moment.jumped);
    }
  }
}

TEST_CASE("timestamps that stand still while the camera pauses go on, and nothing has jumped") {
  for (const MediaTime pause : {seconds(2), seconds(9), seconds(25)}) {
    for (const int again : {0, 1}) {  // the first frame after it may have the stamp of the last before it
      Camera camera;
      for (int i = 0; i < 60; ++i) {
        camera.now += i == 30 ? pause : MediaTime(0);
        const Timeline::Moment moment = camera.frame(kFrameInterval * (i == 30 ? i - again : i));
        CHECK_FALSE(moment.jumped);
        CHECK(moment.pts == kFrameInterval * (i == 30 ? i - again : i));
      }
    }
  }
}

TEST_CASE("a clock that is fast or slow by a fifth jumps only where it does") {
  for (const int percent : {80, 100, 120}) {
    CAPTURE(percent);
    Camera camera;
    for (int i = 0; i < 3'000; ++i) {
      const MediaTime stamp = kFrameInterval * i * percent / 100 + (i < 2'000 ? seconds(0) : seconds(20));
      CHECK(camera.frame(stamp).jumped == (i == 2'000));
    }
  }
}

TEST_CASE("a file that says where its time 0 is begins there, or with its first frame where that is sooner") {
  for (const auto& [origin, first] : {std::pair(MediaTime(0), MediaTime(hours(1))),
                                      {MediaTime(milliseconds(1'400)), MediaTime(milliseconds(1'480))},
                                      {MediaTime(seconds(5)), MediaTime(seconds(4))}}) {
    Timeline timeline(false, kFrameInterval, {}, origin);
    for (int i = 0; i < 5; ++i) {
      const MediaTime expected = first - std::min(origin, first) + kFrameInterval * i;
      CHECK(timeline.at(first + kFrameInterval * i, MonotonicTime{}).pts == expected);
    }
  }
}

TEST_CASE("R-10 frames that come late and all at once keep the times at which they were taken") {
  Timeline timeline(true, kFrameInterval);
  MonotonicTime now{};
  for (int i = 0; i < 100; ++i) {
    if (i % 20 == 0) now += kFrameInterval * 20;  // twenty at once, every two seconds
    const Timeline::Moment moment = timeline.at(kFrameInterval * i, now);
    CHECK(moment.pts == kFrameInterval * i);
    CHECK_FALSE(moment.jumped);
  }
}

TEST_CASE("R-14 frames told twice or a little out of order never move media time back, and are no jump") {
  Camera camera;
  MediaTime last{0};
  for (const int i : {0, 1, 1, 3, 2, 4, 5, 5, 5, 7, 6, 8}) {
    const Timeline::Moment moment = camera.frame(kFrameInterval * i);
    CHECK(moment.pts >= last);
    CHECK_FALSE(moment.jumped);
    last = moment.pts;
  }
  CHECK(last == kFrameInterval * 8);
}

TEST_CASE("R-14 frames without timestamps are timed by their arrival, in a file by its frame rate") {
  for (const bool live : {true, false}) {
    Camera camera(live);
    for (int i = 0; i < 30; ++i) {
      // Some frames have a timestamp, but not the first.
      const auto timestamp =
          i % 5 == 3 ? std::optional<MediaTime>(hours(3) + kFrameInterval * i) : std::nullopt;
      const Timeline::Moment moment = camera.frame(timestamp);
      CHECK(moment.pts == kFrameInterval * i);
      CHECK_FALSE(moment.jumped);
    }
  }
}

TEST_CASE("R-14 timestamps that stand still, or jump all the time, give way to arrival") {
  for (const int kind : {0, 1}) {
    CAPTURE(kind);
    Camera camera;
    int jumps = 0;
    Timeline::Moment moment;
    for (int i = 0; i < 200; ++i) {
      const MediaTime back_and_forth = kFrameInterval * i + (i % 3 == 0 ? seconds(10) : seconds(0));
      moment = camera.frame(kind == 0 ? seconds(7) : back_and_forth);
      jumps += moment.jumped;
    }
    CHECK(jumps <= 4);
    CHECK(std::chrono::abs(moment.pts - kFrameInterval * 199) <= seconds(1));
  }
}

TEST_CASE("hostile timestamps overflow nothing") {
  constexpr MediaTime kLow = MediaTime::min();
  constexpr MediaTime kHigh = MediaTime::max();
  for (const bool live : {true, false}) {
    Camera camera(live, seconds(95'443));
    MediaTime last{0};
    for (const MediaTime timestamp :
         {kLow, kHigh, kLow, MediaTime(0), kHigh, kHigh, kLow, kLow, MediaTime(1)}) {
      const MediaTime pts = camera.frame(timestamp).pts;
      CHECK(pts >= last);
      last = pts;
    }
  }
}

}  // namespace
}  // namespace palisade
