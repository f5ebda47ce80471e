#include "ingest/backlog.h"

#include <doctest/doctest.h>

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr milliseconds kInterval{100};

TEST_CASE("R-08 frames that come later and later are a stall once they are later than allowed") {
  Backlog backlog;
  MonotonicTime now{};
  MediaTime pts{0};
  int frames = 0;
  const auto one = [&] {
    now += kInterval * 3;  // a third of what the camera sends gets through
    pts += kInterval;
    ++frames;
    backlog.check(pts, now, seconds(2));
  };
  CHECK_THROWS_AS(while (frames < 100) one(), SourceError);
  CHECK(frames == 12);  // 200 ms later each
}

TEST_CASE("frames that come at once after a while, or a camera whose clock drifts, are no backlog") {
  Backlog backlog;
  MonotonicTime now{};
  MediaTime pts{0};
  for (int i = 0; i < 600 * 60; ++i) {  // an hour
    if (i % 20 == 0) now += kInterval * 20;
    pts += kInterval - std::chrono::microseconds(50);  // 1.8 s an hour slow
    CHECK_NOTHROW(backlog.check(pts, now, milliseconds(2'500)));
  }
  now += minutes(1);
  CHECK_THROWS_AS(backlog.check(pts + kInterval, now, milliseconds(2'500)), SourceError);
}

}  // namespace
}  // namespace palisade
