#include "base/duration.h"

#include <doctest/doctest.h>

using namespace palisade;
using namespace std::chrono_literals;

TEST_CASE("durations have a number and a unit") {
  CHECK(duration_of("500ms") == 500ms);
  CHECK(duration_of("4s") == 4s);
  CHECK(duration_of("1.5s") == 1500ms);
  CHECK(duration_of("2m") == 2min);
  CHECK(duration_of("24h") == 24h);
  CHECK(duration_of("0s") == 0s);
}

TEST_CASE("anything else is no duration") {
  for (const char* const text : {"", "4", "s", "-4s", "4 s", "4sec", "1e3s", "..s", "1.2.3s", "25h", "inf",
                                 "nan", "99999999999999999999s", "+4s", "0x4s"}) {
    CAPTURE(text);
    CHECK_FALSE(duration_of(text));
  }
}

TEST_CASE("a duration is shown in the largest unit that divides it") {
  CHECK(duration_text(500ms) == "500ms");
  CHECK(duration_text(4s) == "4s");
  CHECK(duration_text(2min) == "2m");
  CHECK(duration_text(0s) == "0s");
}
