#include "service/events/event_tracker.h"

#include <doctest/doctest.h>

#include "service/events/event_book.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

const std::string kTopic = "palisade/v1/a/caption";

Json sent(EventBook& book, const std::string& topic = kTopic) {
  return parse_json(book.enter({.topic = topic, .data = Json::object()}, WallTime(1ms)).json, "an event");
}

Json heartbeat(EventBook& book) {
  return parse_json(book.heartbeats({}, WallTime(1ms))[0].json, "a heartbeat");
}

EventTracker all() {
  return EventTracker([](std::string_view) { return true; });
}

}  // namespace

TEST_CASE("events in a row are neither lost nor repeated") {
  EventBook book("n");
  EventTracker tracker = all();
  for (int i = 0; i < 5; ++i) {
    const auto seen = tracker.see(kTopic, sent(book));
    CHECK_FALSE(seen.repeat);
    CHECK(seen.losses.empty());
  }
}

TEST_CASE("joining late is no loss, a gap is") {
  EventBook book("n");
  for (int i = 0; i < 7; ++i) sent(book);
  EventTracker tracker = all();
  CHECK(tracker.see(kTopic, sent(book)).losses.empty());
  sent(book);
  sent(book);
  const auto seen = tracker.see(kTopic, sent(book));
  REQUIRE(seen.losses.size() == 1);
  CHECK(seen.losses[0].topic == kTopic);
  CHECK(seen.losses[0].events == 2);
}

TEST_CASE("what was seen before is a repeat") {
  EventBook book("n");
  EventTracker tracker = all();
  const Json event = sent(book);
  CHECK_FALSE(tracker.see(kTopic, event).repeat);
  CHECK(tracker.see(kTopic, event).repeat);
}

TEST_CASE("a publisher that starts anew is no repeat and no loss") {
  EventBook first("n");
  EventTracker tracker = all();
  for (int i = 0; i < 5; ++i) tracker.see(kTopic, sent(first));
  EventBook second("n");
  const auto event =
      parse_json(second.enter({.topic = kTopic, .data = Json::object()}, WallTime(1h)).json, "an event");
  const auto seen = tracker.see(kTopic, event);
  CHECK_FALSE(seen.repeat);
  CHECK(seen.losses.empty());
}

TEST_CASE("a heartbeat shows what was lost at a topic's end, once") {
  EventBook book("n");
  EventTracker tracker = all();
  const std::string beat(kHeartbeatTopic);
  tracker.see(kTopic, sent(book));
  CHECK(tracker.see(beat, heartbeat(book)).losses.empty());
  sent(book);
  sent(book, "palisade/v1/new/caption");
  CHECK(tracker.see(beat, heartbeat(book)).losses.size() == 2);
  CHECK(tracker.see(beat, heartbeat(book)).losses.empty());
  CHECK(tracker.see(kTopic, sent(book)).losses.empty());
}

TEST_CASE("a heartbeat's word on topics that are not subscribed to does not count") {
  EventBook book("n");
  EventTracker tracker([](std::string_view topic) { return topic.starts_with("palisade/v1/b/"); });
  const std::string beat(kHeartbeatTopic);
  tracker.see(beat, heartbeat(book));
  sent(book);
  CHECK(tracker.see(beat, heartbeat(book)).losses.empty());
}

TEST_CASE("an event of another make does no harm") {
  EventTracker tracker = all();
  for (const char* const text :
       {"[]", "{}", "3", R"({"id": 3, "sequence": []})", R"({"id": "a", "sequence": "-1"})"}) {
    const Json event = parse_json(text, "a message");
    CHECK_FALSE(tracker.see(kTopic, event).repeat);
    CHECK(tracker.see(std::string(kHeartbeatTopic), event).losses.empty());
  }
}
