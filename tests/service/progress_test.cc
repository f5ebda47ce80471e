#include "service/terminal/progress.h"

#include <doctest/doctest.h>

using namespace palisade;
using namespace std::chrono_literals;

TEST_CASE("positions are minutes and seconds, and hours where there are any") {
  CHECK(position_text(4s) == "00:04");
  CHECK(position_text(3723s) == "1:02:03");
  CHECK(position_text(4500ms, true) == "00:04.5");
}

TEST_CASE("progress tells the position, the windows and what is left") {
  CHECK(progress_text(15s, 60s, 3, 10s) == "00:15 of 01:00, 3 windows, 00:30 left");
  CHECK(progress_text(15s, std::nullopt, 1, 10s) == "00:15, 1 window");
}
