#include "base/time_text.h"

#include <doctest/doctest.h>

using namespace palisade;
using namespace std::chrono_literals;

TEST_CASE("a time is written and read back") {
  for (const std::int64_t ms : {0ll, 1'469'918'176'385ll, 951'782'400'000ll, 4'102'444'799'999ll}) {
    const WallTime time{std::chrono::milliseconds(ms)};
    CHECK(time_of(time_text(time)) == time);
  }
  CHECK(time_of("2000-02-29") == WallTime(951'782'400'000ms));
  CHECK(time_of("2000-02-29T01:02") == WallTime(951'786'120'000ms));
  CHECK(time_of("2000-02-29T01:02:03Z") == WallTime(951'786'123'000ms));
}

TEST_CASE("what is no time is none") {
  for (const char* const text : {"", "2001-02-29", "2000-13-01", "2000-1-1", "2000-02-29 01:02", "2000-02-29T24:00",
                                 "2000-02-29T01:60", "2000-02-29T01:02:03.1", "2000-02-29T01:02:03+01:00", "x000-02-29"}) {
    CAPTURE(text);
    CHECK_FALSE(time_of(text).has_value());
  }
}
