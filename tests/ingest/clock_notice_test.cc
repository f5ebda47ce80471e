#include "ingest/clock_notice.h"

#include <doctest/doctest.h>

#include <vector>

using namespace palisade;
using namespace std::chrono_literals;

TEST_CASE("a clock that is off is told once it has been so for a while, and again when it is right") {
  ClockNotice clock;
  MonotonicTime now{};
  std::vector<std::string> told;
  const auto watch = [&](std::optional<std::chrono::milliseconds> error, std::chrono::seconds time) {
    for (const auto end = now + time; now < end; now += 40ms) {
      if (auto notice = clock.notice(error, now)) told.push_back(*notice);
    }
  };
  watch({}, 10s);
  watch(-5s, 1s);  // pictures that a camera had kept
  watch({}, 10s);
  CHECK(told.empty());
  watch(2h + 3ms, 60s);
  REQUIRE(told.size() == 1);
  CHECK(told[0] ==
        "the camera's clock is 2 h ahead of this machine's: frames have the time of their arrival; set both "
        "by NTP");
  watch(2h + 20min, 60s);
  CHECK(told.size() == 1);
  watch(-3s, 60s);
  REQUIRE(told.size() == 2);
  CHECK(told[1].find("is 3 s behind this machine's") != std::string::npos);
  watch(-24h * 365, 60s);
  REQUIRE(told.size() == 3);
  CHECK(told[2].find("is 365 days behind") != std::string::npos);
  watch({}, 60s);
  REQUIRE(told.size() == 4);
  CHECK(told[3].find("agrees") != std::string::npos);
}
