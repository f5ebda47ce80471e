#include "service/events/event_book.h"

#include <doctest/doctest.h>

#include "base/format.h"
#include "tests/tasks/schema.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

Event event_of(const std::string& topic, EventKind kind = EventKind::kAnswer) {
  return {.kind = kind,
          .topic = topic,
          .source = "palisade://n/streams/a",
          .subject = "front",
          .data = Json::object()};
}

Json entered(EventBook& book, const Event& event) {
  return parse_json(book.enter(event, WallTime(5ms)).json, "an event");
}

}  // namespace

TEST_CASE("sequences count per topic, from one and without gaps") {
  EventBook book("n");
  for (int i = 1; i <= 3; ++i)
    CHECK(entered(book, event_of("palisade/v1/a/x"))["sequence"] == sequence_text(std::uint64_t(i)));
  CHECK(entered(book, event_of("palisade/v1/a/y"))["sequence"] == "000000000001");
}

TEST_CASE("ids are unique and ascend") {
  EventBook book("n");
  std::string last;
  for (int i = 0; i < 100; ++i) {
    const std::string id = entered(book, event_of("palisade/v1/a/x"))["id"];
    CHECK(id > last);
    last = id;
  }
}

TEST_CASE("heartbeats tell the last sequence of every topic, in as many events as it takes") {
  EventBook book("n");
  const std::string name(60, 'n');
  for (int i = 0; i < 1000; ++i) {
    book.enter(event_of(format("palisade/v1/{}{}/{}", name, i, name)), WallTime(1ms));
  }
  HeartbeatEvent heartbeat;
  for (int i = 0; i < 64; ++i) heartbeat.streams[format("{}{}", name, i)] = {.frames = 1};
  std::size_t told = 0;
  const auto messages = book.heartbeats(heartbeat, WallTime(2ms));
  for (const Message& message : messages) {
    CHECK(message.json.size() < kMaxEventBytes);
    const Json json = parse_json(message.json, "a heartbeat");
    CHECK(schema_faults("heartbeat", json).empty());
    told += json["data"]["sequences"].size();
  }
  CHECK(messages.size() == 5);
  CHECK(told == 1000);
}

TEST_CASE("there is a heartbeat before there is any event") {
  EventBook book("n");
  const auto messages = book.heartbeats({}, WallTime(2ms));
  REQUIRE(messages.size() == 1);
  CHECK(schema_faults("heartbeat", parse_json(messages[0].json, "a heartbeat")).empty());
}
