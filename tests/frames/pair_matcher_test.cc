#include "frames/pair_matcher.h"

#include <doctest/doctest.h>

using namespace palisade;
using namespace std::chrono_literals;

namespace {

Frame seen_at(const char* stream, std::chrono::milliseconds time) {
  Frame frame;
  frame.stream = stream;
  frame.stamp.wall = WallTime(std::chrono::hours(500'000) + time);
  return frame;
}

std::chrono::milliseconds gap_of(const Clip& pair) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(pair.frames[1].stamp.wall -
                                                               pair.frames[0].stamp.wall);
}

}  // namespace

TEST_CASE("a frame's partner is the nearest in wall time, before it or after it") {
  for (const auto& [times, expected] : {std::pair{std::vector{900ms, 1010ms}, 10ms},
                                        {std::vector{970ms, 1200ms}, -30ms},
                                        {std::vector{1000ms}, 0ms}}) {
    PairMatcher matcher(500ms);
    CHECK(matcher.offer_first(seen_at("a", 1000ms)).empty());
    std::vector<Clip> pairs;
    for (const auto time : times) {
      CHECK(pairs.empty());
      pairs = matcher.offer_second(seen_at("b", time));
    }
    REQUIRE(pairs.size() == 1);
    CHECK(pairs[0].frames[0].stream == "a");
    CHECK(pairs[0].frames[1].stream == "b");
    CHECK(gap_of(pairs[0]) == expected);
  }
}

TEST_CASE("a second stream that is ahead already has the partner") {
  PairMatcher matcher(100ms);
  for (int i = 0; i < 40; ++i) CHECK(matcher.offer_second(seen_at("b", i * 100ms)).empty());
  const auto pairs = matcher.offer_first(seen_at("a", 2040ms));
  REQUIRE(pairs.size() == 1);
  CHECK(gap_of(pairs[0]) == -40ms);
}

TEST_CASE("frames further apart than the allowed gap are no pair, and are counted") {
  PairMatcher matcher(100ms);
  CHECK(matcher.offer_first(seen_at("a", 1000ms)).empty());
  CHECK(matcher.offer_second(seen_at("b", 1101ms)).empty());
  CHECK(matcher.unmatched() == 1);
  CHECK(matcher.offer_first(seen_at("a", 1050ms)).size() == 1);
}

TEST_CASE("a silent second stream costs the first nothing but its pairs") {
  PairMatcher matcher(100ms);
  for (int i = 0; i < 1000; ++i) CHECK(matcher.offer_first(seen_at("a", i * 1000ms)).empty());
  CHECK(matcher.unmatched() == 1000 - PairMatcher::kMaxWaiting);
  // Waiting frames are decided when the other stream comes back.
  const auto pairs = matcher.offer_second(seen_at("b", 999'050ms));
  REQUIRE(pairs.size() == 1);
  CHECK(gap_of(pairs[0]) == 50ms);
}

TEST_CASE("a frame without a partner says whether the second stream is silent or how far its nearest is") {
  PairMatcher matcher(500ms);
  for (int i = 0; i < 6; ++i) matcher.offer_first(seen_at("a", i * 1s));
  CHECK(matcher.unmatched() == 2);
  CHECK(matcher.last_miss().silent);
  CHECK_FALSE(matcher.last_miss().nearest);
  matcher.offer_second(seen_at("b", 2h));
  CHECK(matcher.unmatched() == 6);
  PairMatcher late(500ms);
  late.offer_second(seen_at("b", 0s));
  late.offer_first(seen_at("a", 10s));
  late.offer_second(seen_at("b", 12s));
  CHECK(late.unmatched() == 1);
  CHECK_FALSE(late.last_miss().silent);
  CHECK(late.last_miss().nearest == 2s);
}
