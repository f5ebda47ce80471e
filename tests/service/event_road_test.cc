#include "service/events/event_road.h"

#include <doctest/doctest.h>

#include <map>
#include <thread>

#include "base/sha256.h"
#include "service/events/event_writer.h"
#include "service/events/sink_queue.h"
#include "tests/service/kept_events.h"
#include "tests/tasks/schema.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

Image grey_image(int shade) {
  return {4, 4, std::vector<std::uint8_t>(48, std::uint8_t(shade))};
}

AnswerRecord answer_about(const std::vector<Image>& images, const std::string& text = "a cat") {
  AnswerRecord record{.stream = "door", .task = "caption", .clip = {}, .answer = {.text = text}};
  for (const Image& image : images) record.clip.frames.push_back({.stream = "door", .image = image});
  return record;
}

std::vector<Json> answers_of(const KeptEvents& kept) {
  std::vector<Json> answers;
  for (const SharedMessage& message : kept.all()) {
    if (message->kind == EventKind::kAnswer) answers.push_back(parse_json(message->json, message->topic));
  }
  return answers;
}

// A complete sink, which counts events by topic.
class Counting : public EventSink {
 public:
  void take(const SharedMessage& message) override { ++counts[message->topic]; }
  std::map<std::string, int> counts;  // the road's thread's while that runs
};

// A sink whose thread hangs in its first event, like one with a disk that never answers.
class Stuck : public EventSink {
 public:
  void take(const SharedMessage& message) override { queue.push(message); }
  SinkQueue queue{10};
};

}  // namespace

TEST_CASE("every sink is handed every event, numbered once and in the same order") {
  KeptEvents first, second;
  Counting counting;
  {
    EventRoad road({.heartbeat = 1min}, {&first, &counting, &second});
    for (int i = 0; i < 50; ++i) {
      road.publish(answer_about({grey_image(i)}));
      road.publish(StateRecord{.stream = "door", .state = {.state = "online"}});
    }
  }
  CHECK(first.all() == second.all());
  CHECK(counting.counts[answer_topic("door", "caption")] == 50);
  CHECK(counting.counts[state_topic("door")] == 50);
  std::uint64_t sequence = 0;
  for (const Json& answer : answers_of(first)) CHECK(answer["sequence"] == sequence_text(++sequence));
  CHECK(sequence == 50);
  const Json last = parse_json(first.all().back()->json, "the last heartbeat");
  CHECK(schema_faults("heartbeat", last).empty());
  CHECK(last["data"]["sequences"][answer_topic("door", "caption")] == sequence_text(50));
}

TEST_CASE("a sink that stands still loses its oldest events, counts them, and costs the others nothing") {
  KeptEvents kept;
  Stuck stuck;
  {
    EventRoad road({.heartbeat = 1min, .queue_depth = 1000}, {&stuck, &kept});
    for (int i = 0; i < 100; ++i) road.publish(answer_about({grey_image(1)}, std::to_string(i)));
  }
  CHECK(answers_of(kept).size() == 100);
  const auto waiting = stuck.queue.take_all();
  REQUIRE(waiting.size() == 10);
  CHECK(waiting.back() == kept.all().back());
  CHECK(stuck.queue.lost() == kept.all().size() - 10);
}

TEST_CASE("a frame is hashed once, however many windows it is in, and again when another takes its place") {
  FrameHashes hashes;
  std::vector<Image> images;
  for (int i = 0; i < 16; ++i) images.push_back(grey_image(i));
  for (int window = 0; window < 5; ++window) {
    for (const Image& image : images) CHECK(hashes.of(image) == sha256_hex(image.bytes()));
  }
  CHECK(hashes.hashed() == 16);
  // New images may have the addresses of old ones.
  for (int i = 0; i < 5000; ++i) {
    const Image image = grey_image(i % 251);
    if (hashes.of(image) != sha256_hex(image.bytes())) FAIL("a stale hash");
  }
}

TEST_CASE("an answer's evidence is its frames in order, with the hash of what the model saw") {
  KeptEvents kept;
  EventWriter writer("node-7", {&kept});
  const Image one = grey_image(1), two = grey_image(2);
  writer.write(answer_about({one, two, one}));
  const Json event = answers_of(kept).at(0);
  CHECK(event["source"] == "palisade://node-7/streams/door");
  REQUIRE(event["data"]["frames"].size() == 3);
  CHECK(event["data"]["frames"][1]["sha256"] == sha256_hex(two.bytes()));
  CHECK(event["data"]["frames"][2]["sha256"] == sha256_hex(one.bytes()));
}
