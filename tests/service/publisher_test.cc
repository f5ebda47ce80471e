#include "service/zeromq/publisher.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>
#include <zmq.hpp>

#include "base/error.h"
#include "base/format.h"
#include "tests/service/publishing_road.h"
#include "tests/service/subscriber.h"
#include "tests/tasks/schema.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

const std::string kCaptionTopic = "palisade/v1/a/caption";

EventRecord answer(const std::string& stream, const std::string& text = "x") {
  Clip clip;
  clip.frames.push_back({.image = Image(1, 1, std::vector<std::uint8_t>(3))});
  return AnswerRecord{.stream = stream, .task = "caption", .clip = std::move(clip), .answer = {.text = text}};
}

EventRecord state_event_of(const std::string& state) {
  return StateRecord{.stream = "a", .state = {.state = state}};
}

// Publishes states until the subscriber receives one, because only then its subscription is in force.
void settle(PublishingRoad& publisher, Subscriber& subscriber) {
  publisher.publish(state_event_of("online"));
  subscriber.next_of(state_topic("a"));
}

}  // namespace

TEST_CASE("a subscriber receives what it asked for, numbered without gaps") {
  PublishingRoad publisher;
  Subscriber subscriber(publisher.endpoint(), {"palisade/v1/a/"});
  settle(publisher, subscriber);
  for (int i = 0; i < 100; ++i) {
    publisher.publish(answer("b"));
    publisher.publish(answer("a"));
  }
  std::set<std::string> ids;
  for (int i = 1; i <= 100; ++i) {
    const Json event = subscriber.next_of(kCaptionTopic);
    CHECK(event["sequence"] == sequence_text(std::uint64_t(i)));
    ids.insert(event["id"].get<std::string>());
  }
  CHECK(ids.size() == 100);
}

TEST_CASE("whoever joins late receives every stream's last state, with its own id and sequence") {
  PublishingRoad publisher;
  Subscriber early(publisher.endpoint(), {"palisade/v1/a/"});
  publisher.publish(state_event_of("connecting"));
  publisher.publish(state_event_of("online"));
  // Another thread publishes, so a late subscriber is one that comes when it has done so.
  while (early.next_of(state_topic("a"))["data"]["state"] != "online") {
  }
  Json first;
  for (int joiner = 0; joiner < 3; ++joiner) {
    Subscriber late(publisher.endpoint(), {"palisade/v1/a/"});
    const Json state = late.next_of(state_topic("a"));
    CHECK(state["data"]["state"] == "online");
    CHECK(state["sequence"] == "000000000002");
    if (joiner == 0) first = state;
    CHECK(state == first);
  }
}

TEST_CASE("heartbeats tell the last sequence of every topic, and what became of the streams") {
  PublishingRoad publisher({.heartbeat = 20ms}, [] {
    return NodeStatus{.streams = {{"a", {.answered = 3}}}, .journal = std::nullopt};
  });
  Subscriber subscriber(publisher.endpoint(), {std::string(kHeartbeatTopic)});
  publisher.publish(answer("a"));
  publisher.publish(answer("a"));
  Json heartbeat;
  do {
    heartbeat = subscriber.next_of(std::string(kHeartbeatTopic));
    CHECK(schema_faults("heartbeat", heartbeat).empty());
  } while (heartbeat["data"]["sequences"].value(kCaptionTopic, "") != "000000000002");
  CHECK(heartbeat["data"]["streams"]["a"]["answered"] == 3);
}

TEST_CASE("a subscriber that never reads makes nobody wait, and nobody else loses an event") {
  PublishingRoad publisher;
  Subscriber sleeping(publisher.endpoint(), {""}, 10);
  Subscriber awake(publisher.endpoint(), {kCaptionTopic, state_topic("a")});
  settle(publisher, awake);
  const std::string large(5000, 'x');
  // Three times as much as the sleeping subscriber's queue can hold.
  for (int i = 1; i <= 3000; ++i) {
    publisher.publish(answer("a", large));
    if (i % 50 == 0) CHECK(awake.skip_to(kCaptionTopic, std::uint64_t(i)));
  }
}

TEST_CASE("a subscriber that is killed makes nobody wait") {
  PublishingRoad publisher;
  Subscriber awake(publisher.endpoint(), {""});
  settle(publisher, awake);
  for (int i = 1; i <= 50; ++i) {
    { const Subscriber killed(publisher.endpoint(), {""}); }
    publisher.publish(answer("a"));
    CHECK(awake.skip_to(kCaptionTopic, std::uint64_t(i)));
  }
}

TEST_CASE("a full queue drops its oldest event, counts it, and leaves no gap in the sequence") {
  // The publisher waits in a heartbeat as long as this lock is held, so that the queue fills up.
  std::mutex publishing;
  std::atomic<bool> stands = false;
  PublishingRoad publisher({.heartbeat = 20ms, .queue_depth = 3}, [&] {
    stands = true;
    const std::lock_guard passes(publishing);
    stands = false;
    return NodeStatus{};
  });
  Subscriber subscriber(publisher.endpoint(), {kCaptionTopic, state_topic("a")});
  settle(publisher, subscriber);
  {
    const std::lock_guard held(publishing);
    while (!stands) std::this_thread::sleep_for(1ms);
    for (int i = 1; i <= 10; ++i) publisher.publish(answer("a", std::to_string(i)));
    CHECK(publisher.unpublished() == 7);
  }
  for (int i = 1; i <= 3; ++i) {
    const Json event = subscriber.next_of(kCaptionTopic);
    CHECK(event["data"]["text"] == std::to_string(7 + i));
    CHECK(event["sequence"] == sequence_text(std::uint64_t(i)));
  }
}

TEST_CASE("what was published before the end arrives") {
  auto publisher = std::make_unique<PublishingRoad>();
  Subscriber subscriber(publisher->endpoint(), {""});
  settle(*publisher, subscriber);
  publisher->publish(answer("a", "the last word"));
  publisher.reset();
  CHECK(subscriber.next_of(kCaptionTopic)["data"]["text"] == "the last word");
  CHECK(subscriber.next_of(std::string(kHeartbeatTopic))["data"]["sequences"][kCaptionTopic] ==
        "000000000001");
}

TEST_CASE("a port in use is unavailable, by name") {
  const Publisher first({.endpoint = "tcp://127.0.0.1:*"});
  try {
    const Publisher second({.endpoint = first.endpoint()});
    FAIL("bound twice");
  } catch (const Unavailable& error) {
    CHECK(std::string(error.what()).find(first.endpoint()) != std::string::npos);
    CHECK(std::string(error.what()).find("in use") != std::string::npos);
  }
}

TEST_CASE("an ipc endpoint belongs to one publisher, and to its user and group") {
  const auto folder = std::filesystem::temp_directory_path() / format("palisade_publisher_{}", getpid());
  std::filesystem::create_directory(folder);
  const std::string path = (folder / "events").string();
  {
    PublishingRoad first({.heartbeat = 1min}, {}, "ipc://" + path);
    struct stat status {};
    CHECK(stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0660);
    CHECK_THROWS_AS(Publisher({.endpoint = "ipc://" + path}), Unavailable);
    Subscriber subscriber("ipc://" + path, {""});
    settle(first, subscriber);
  }
  CHECK_NOTHROW(Publisher({.endpoint = "ipc://" + path}));
  std::filesystem::remove_all(folder);
}

TEST_CASE("an endpoint that cannot be bound is unavailable") {
  CHECK_THROWS_AS(Publisher({.endpoint = "ipc:///nowhere/at/all"}), Unavailable);
  CHECK_THROWS_AS(Publisher({.endpoint = "tcp://127.0.0.1"}), Unavailable);
}
