#include "service/events/event_line.h"

#include <doctest/doctest.h>

using namespace palisade;

namespace {

std::string line(const char* topic, const char* json) {
  return event_line(topic, parse_json(json, "an event"));
}

}  // namespace

TEST_CASE("an answer is one line with its time, stream and text") {
  CHECK(line("palisade/v1/front_door/caption",
             R"({"type": "palisade.answer.v1", "time": "2026-11-23T09:05:24.123Z",
                 "data": {"text": "a red car", "finish_reason": "stop", "dropped_before": 0}})") ==
        "09:05:24 front_door caption: a red car");
}

TEST_CASE("what was cut off or lost is told") {
  CHECK(
      line("palisade/v1/a/b", R"({"data": {"text": "a", "finish_reason": "length", "dropped_before": 2}})") ==
      "a b: a [length] [2 dropped before]");
}

TEST_CASE("a state tells its reason and the next attempt") {
  CHECK(line("palisade/v1/a/state", R"({"type": "palisade.state.v1",
       "data": {"state": "reconnecting", "reason": "refused", "next_try_in_ms": 1700}})") ==
        "a state: reconnecting (refused), next try in 2 s");
}

TEST_CASE("a hostile event cannot steer the terminal, nor break the line") {
  const std::string shown =
      line("palisade/v1/a/\x1b[2J", R"({"time": 3, "data": {"text": "x\n\u001b]0;y\u0007"}})");
  for (const char c : shown) CHECK(static_cast<unsigned char>(c) >= 0x20);
  for (const char* const odd : {"[]", "3", "null", R"({"data": []})", R"({"data": {"text": {}}})"}) {
    CHECK_NOTHROW(line("t", odd));
  }
}

TEST_CASE("an answer that still holds says since when, and what was kept back is told") {
  CHECK(
      line(
          "palisade/v1/a/b",
          R"({"data": {"text": "a car", "unchanged_since": "2026-11-23T09:05:24.123Z", "skipped_before": 7}})") ==
      "a b: unchanged since 09:05:24: a car [7 skipped before]");
}
