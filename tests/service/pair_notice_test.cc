#include "service/streams/pair_notice.h"

#include <doctest/doctest.h>

using namespace palisade;
using namespace std::chrono_literals;

TEST_CASE("pairs that stop say why once, again where the cause is another, and when they come again") {
  PairNotice pairs;
  const PairMiss apart{.silent = false, .nearest = -7'200s};
  const PairMiss silent{.silent = true, .nearest = -3s};
  CHECK_FALSE(pairs.missed(2, apart, "back", 500ms));
  CHECK_FALSE(pairs.matched());
  CHECK_FALSE(pairs.missed(2, apart, "back", 500ms));
  CHECK(pairs.missed(1, apart, "back", 500ms) ==
        "no pairs: the nearest picture of stream 'back' is 7200 s earlier, more than the gap of 500 ms: set "
        "the clocks of both cameras by NTP, or raise 'gap'");
  CHECK_FALSE(pairs.missed(1, apart, "back", 500ms));
  CHECK(pairs.missed(1, silent, "back", 500ms) ==
        "no pairs: stream 'back' brings no pictures; is it online?");
  CHECK(pairs.matched() == "pairs come again");
  CHECK_FALSE(pairs.matched());
  CHECK(pairs.missed(3, {.silent = false, .nearest = 700ms}, "back", 500ms)->find("700 ms later") !=
        std::string::npos);
}
