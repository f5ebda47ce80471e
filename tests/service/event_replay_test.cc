#include "service/journal/event_replay.h"

#include <doctest/doctest.h>

#include <random>

#include "service/events/event_writer.h"
#include "service/journal/journal.h"
#include "service/zeromq/replay.h"
#include "tests/service/kept_events.h"
#include "tests/service/state_folder.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

// A folder with `count` events of two streams, one after another.
struct Stored {
  explicit Stored(int count) {
    KeptEvents sent;
    {
      Journal journal({.folder = folder.path()}, {&sent});
      EventWriter writer("test", {&journal});
      for (int i = 0; i < count; ++i)
        writer.write(StateRecord{.stream = i % 2 == 0 ? "door" : "yard",
                                 .state = {.state = "online", .since = wall_now()}});
    }
    for (const SharedMessage& message : sent.all()) all.emplace_back(message->topic, message->json);
  }
  StateFolder folder;
  std::vector<std::pair<std::string, std::string>> all;  // topic and body
};

ReplayAnswer answer_of(EventReplay& replay, const std::string& json) {
  return replay.answer(replay_request_of(json));
}

}  // namespace

TEST_CASE("all that came after a position comes in its order, in answers of bounded size") {
  const Stored stored(2500);
  EventReplay replay(stored.folder.path());
  std::vector<std::pair<std::string, std::string>> all;
  ReplayAnswer answer{.more = true};
  int answers = 0;
  for (; answer.more; ++answers) {
    answer = answer_of(replay, R"({"position": )" + std::to_string(answer.position) + "}");
    CHECK(answer.events.size() <= kMaxReplayedEvents);
    all.insert(all.end(), answer.events.begin(), answer.events.end());
  }
  CHECK(answers == 3);
  CHECK(all == stored.all);
  CHECK(answer_of(replay, R"({"position": "end"})").position == answer.position);
  const ReplayAnswer yard = answer_of(replay, R"({"position": 2400, "prefix": "palisade/v1/yard/"})");
  CHECK(yard.events.size() == 50);
  CHECK(yard.position == 2500);
}

TEST_CASE("what came after a sequence comes, and what is gone is named") {
  const Stored stored(20);
  erase_one(stored.folder.path(), "palisade/v1/door/state", 7);
  erase_one(stored.folder.path(), "palisade/v1/door/state", 10);
  EventReplay replay(stored.folder.path());
  const ReplayAnswer answer = answer_of(
      replay, R"({"after": {"palisade/v1/door/state": "000000000005", "palisade/v1/yard/state": "9"}})");
  CHECK(answer.events.size() == 4);  // 6, 8 and 9 of the door, 10 of the yard
  CHECK(answer.missing.at("palisade/v1/door/state") == std::vector<std::uint64_t>{7, 10});
  CHECK_FALSE(answer.missing.contains("palisade/v1/yard/state"));
  CHECK(
      header_of(answer) ==
      R"({"missing":{"palisade/v1/door/state":["000000000007","000000000010"]},"more":false,"position":20})");
}

TEST_CASE("the newest event of each topic") {
  const Stored stored(20);
  EventReplay replay(stored.folder.path());
  const ReplayAnswer all = answer_of(replay, R"({"last": "palisade/v1/"})");
  REQUIRE(all.events.size() == 2);
  CHECK(all.events[0] == stored.all[18]);
  CHECK(all.events[1] == stored.all[19]);
  CHECK(answer_of(replay, R"({"last": "palisade/v1/yard"})").events.size() == 1);
  CHECK(answer_of(replay, R"({"last": "other"})").events.empty());
}

TEST_CASE("a request of any other form is refused") {
  for (const char* const text :
       {"", "[]", "{}", "5", R"({"after": {}})", R"({"after": []})", R"({"after": {"t": 4}})",
        R"({"after": {"t": "x"}})", R"({"after": {"t": "99999999999999999999999"}})", R"({"position": -1})",
        R"({"position": 1.5})", R"({"position": "start"})", R"({"position": 1, "more": 1})",
        R"({"position": "end", "prefix": "a"})", R"({"last": 4})", R"({"last": "a", "position": 0})",
        R"({"nothing": 1})"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(replay_request_of(text), Error);
  }
  CHECK_THROWS_AS(replay_request_of(R"({"last": ")" + std::string(1000, 'a') + "\"}"), Error);
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string junk(random() % 4096, '\0');
    for (char& c : junk) c = char(random());
    CHECK_THROWS_AS(replay_request_of(junk), Error);
  }
}

TEST_CASE("subscribers ask over ZeroMQ, and junk is answered with its fault") {
  const Stored stored(30);
  EventReplay replay(stored.folder.path());
  ReplayServer server("tcp://127.0.0.1:*",
                      [&](const ReplayRequest& request) { return replay.answer(request); });
  ReplayClient client(server.endpoint());
  const ReplayAnswer answer = client.ask(R"({"position": 10})", 10s);
  CHECK(answer.events == std::vector(stored.all.begin() + 10, stored.all.end()));
  CHECK(answer.position == 30);
  CHECK_THROWS_WITH_AS(client.ask(std::string(4000, 'x'), 10s), doctest::Contains("the request"),
                       Unavailable);
  CHECK(client.ask(R"({"position": "end"})", 10s).position == 30);
  ReplayClient nobody("tcp://127.0.0.1:1");
  CHECK_THROWS_AS(nobody.ask("{}", 100ms), Unavailable);
}
