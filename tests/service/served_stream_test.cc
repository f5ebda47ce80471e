#include "service/streams/served_stream.h"

#include <doctest/doctest.h>

#include <numeric>

#include "tests/service/one_stream.h"
#include "tests/service/stub_model.h"
#include "tests/tasks/schema.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

constexpr int kSide = 48;

// Ten seconds of a grey wall. A bright square crosses it in the third second; a dark one stays from the
// seventh second on.
class Wall : public Source {
 public:
  std::optional<Frame> next(const Wanted& wanted) override {
    while (number_ <= 100) {
      const int number = number_++;
      const FrameStamp stamp{
          .number = std::uint64_t(number), .pts = 100ms * number, .wall = WallTime(100ms * number)};
      if (!wanted(stamp)) continue;
      std::vector<std::uint8_t> rgb(kSide * kSide * 3, 100);
      const auto square = [&](int left, std::uint8_t shade) {
        for (int y = 10; y < 34; ++y) std::fill_n(rgb.begin() + (y * kSide + left) * 3, 24 * 3, shade);
      };
      if (number > 20 && number < 30) square(2 * (number - 20), 220);
      if (number > 60) square(std::min(20, 2 * (number - 60)), 10);
      return Frame{
          .stamp = stamp, .source_width = kSide, .source_height = kSide, .image = Image(kSide, kSide, rgb)};
    }
    return std::nullopt;
  }
  bool live() const override { return false; }

 private:
  int number_ = 0;
};

StreamSettings wall(const std::string& gate, const std::string& caption = "task: caption") {
  log_from(LogLevel::kError);
  return parse_settings(
             R"(streams:
  - name: door
    url: wall.mp4
    pace: false
    tasks: [{)" + caption +
                 R"(, frames: 1, every: 1s}, {task: question, question: "who?", frames: 1, every: 1s}]
    gate: )" + gate +
                 "\n",
             "test.yaml")
      .streams[0];
}

// Features that encode how dark the picture is.
ImageFeatures shade_of(const Image& image) {
  const double mean = std::accumulate(image.u8().begin(), image.u8().end(), 0.0) / double(image.u8().size());
  auto features = std::make_shared<Matrix>(1, 2);
  features->row(0)[0] = 100;
  features->row(0)[1] = float(3 * (mean - 100));
  return features;
}

struct StreamRecord {
  std::vector<int> asked;      // seconds at which a caption was given
  std::vector<int> unchanged;  // and at which it still held
  std::vector<int> since;      // the seconds that those refer to
  int skipped = 0;             // as events tell
  StreamCounts counts;
};

StreamRecord served(const std::string& gate, StubModel& model, const std::string& caption = "task: caption") {
  const OneStream all = serve_one(model, wall(gate, caption), [](const SourceOptions&, std::stop_token) {
    return std::make_unique<Wall>();
  });
  StreamRecord seen{.counts = all.counts};
  for (const Json& event : all.answers) {
    for (const std::string& fault : schema_faults("answer", event)) FAIL_CHECK(fault);
    if (event["data"]["task"] != "caption") continue;
    const int second = event["data"]["frames"][0]["pts_ms"].get<int>() / 1000;
    const bool holds = event["data"].contains("unchanged_since");
    (holds ? seen.unchanged : seen.asked).push_back(second);
    if (holds) {
      seen.since.push_back(std::stoi(event["data"]["unchanged_since"].get<std::string>().substr(17, 2)));
      CHECK(event["data"]["text"] == "said: caption en");
      if (gate != "{}") CHECK(event["data"]["window"]["tokens_kept"] == 0);
    }
    seen.skipped += event["data"].value("skipped_before", 0);
  }
  return seen;
}

using Seconds = std::vector<int>;

}  // namespace

TEST_CASE("without a gate every clip is asked about, and nothing speaks of gates") {
  StubModel model;
  const StreamRecord seen = served("{}", model);
  CHECK(seen.asked.size() == 11);
  CHECK(seen.counts.answered == 22);
  CHECK(seen.counts.skipped == 0);
}

TEST_CASE("the motion gate keeps back what does not move, and tells how much in the next event") {
  StubModel model;
  const StreamRecord seen = served("{motion: true, longest_silence: 60s}", model);
  // Motion is not known in the first half second, and the background model needs time to learn an object that
  // stays.
  CHECK(seen.asked == Seconds{0, 1, 3, 7, 8, 9, 10});
  CHECK(seen.skipped == 4);
  CHECK(seen.counts.skipped == 4);
  CHECK(seen.counts.answered == 14);
  CHECK(model.encoded == 7);
}

TEST_CASE("the semantic gate answers with the last answer while the pictures mean the same") {
  StubModel model;
  model.features_of = shade_of;
  const StreamRecord seen = served("{semantic: 0.98}", model);
  CHECK(seen.asked == Seconds{0, 7});
  CHECK(seen.unchanged == Seconds{1, 2, 3, 4, 5, 6, 8, 9, 10});
  CHECK(seen.since == Seconds{0, 0, 0, 0, 0, 0, 7, 7, 7});
  CHECK(seen.counts.answered == 4);
  CHECK(seen.counts.unchanged == 18);
  CHECK(model.answered == 4);
}

TEST_CASE("both gates: what moves is compared, and after the longest silence the model is asked anyway") {
  StubModel model;
  model.features_of = shade_of;
  const StreamRecord seen = served("{motion: true, semantic: 0.98, longest_silence: 5s}", model);
  CHECK(seen.asked == Seconds{0, 5, 7});
  CHECK(seen.unchanged == Seconds{1, 3, 8, 9, 10});
  CHECK(seen.counts.answered + seen.counts.unchanged + 2 * seen.counts.skipped == 22);
}

TEST_CASE("an answer with the words of the last one is told as unchanged, where that is wished") {
  StubModel model;
  CHECK(served("{}", model).unchanged.empty());
  const StreamRecord seen = served("{}", model, "task: caption, repeats: fold");
  CHECK(seen.asked == Seconds{0});
  CHECK(seen.unchanged == Seconds{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(seen.since == Seconds(10, 0));
  CHECK(seen.counts.answered == 22);  // all were asked
}

TEST_CASE("an answer that failed holds for nothing: the next clip is asked about") {
  StubModel model;
  model.features_of = shade_of;
  std::atomic<int> captions{0};
  model.on_answer = [&](const std::string& prompt, const DecodingOptions&) {
    if (prompt == "caption en" && ++captions == 1) throw std::runtime_error("logits are not finite");
  };
  const StreamRecord seen = served("{semantic: 0.98}", model);
  REQUIRE_FALSE(seen.asked.empty());
  CHECK(seen.asked.front() <= 3);  // some may have been compared before the failure was known
  CHECK(seen.counts.failed >= 1);
  for (const int since : seen.since) CHECK(since >= seen.asked.front());
}

namespace {

// Ten seconds of changing pictures, ten a second.
class Ramp : public Source {
 public:
  std::optional<Frame> next(const Wanted& wanted) override {
    while (number_ <= 100) {
      const int number = number_++;
      const FrameStamp stamp{
          .number = std::uint64_t(number), .pts = 100ms * number, .wall = WallTime(100ms * number)};
      if (!wanted(stamp)) continue;
      return Frame{.stamp = stamp,
                   .source_width = 8,
                   .source_height = 8,
                   .image = Image(8, 8, std::vector<std::uint8_t>(8 * 8 * 3, std::uint8_t(number)))};
    }
    return std::nullopt;
  }
  bool live() const override { return false; }

 private:
  int number_ = 0;
};

std::unique_ptr<Source> ramp(const SourceOptions&, std::stop_token) {
  return std::make_unique<Ramp>();
}

StreamSettings door(const std::string& tasks) {
  log_from(LogLevel::kError);
  return parse_settings("streams:\n  - {name: door, url: x.mp4, pace: false, tasks: [" + tasks + "]}\n",
                        "test.yaml")
      .streams[0];
}

}  // namespace

TEST_CASE("under load a window loses frames first, then windows are left out, and every event says so") {
  StubModel model;
  model.on_slice = [] { std::this_thread::sleep_for(8ms); };
  const OneStream all = serve_one(model, door("{task: caption, frames: 16, span: 1500ms, every: 100ms}"),
                                  ramp, {.hurried = true});
  std::vector<int> counts;
  std::int64_t expected = 0;
  for (const Json& event : all.answers) {
    CHECK(schema_faults("answer", event).empty());
    const Json& data = event["data"];
    const Json& window = data["window"];
    counts.push_back(window["count"]);
    CHECK((window["count"] == 16) == !window.contains("degraded_from"));
    CHECK(window.value("degraded_from", 16) == 16);
    CHECK(int(data["frames"].size()) == window["count"]);
    const std::int64_t start = data["frames"].front()["pts_ms"], end = data["frames"].back()["pts_ms"];
    CHECK(end - start == 1500);
    // The missing clips are those that were reported.
    CHECK(start / 100 == expected + data["dropped_before"].get<std::int64_t>());
    expected = start / 100 + 1;
  }
  CHECK(std::ranges::count(counts, 4) > 0);
  CHECK(all.counts.dropped > 0);
}

TEST_CASE("a task on demand is asked about once for every demand") {
  StubModel model;
  int demands = 0;
  const OneStream all = serve_one(
      model, door("{task: question, name: now, question: \"who?\", frames: 1, when: demand, every: 100ms}"),
      ramp, {.before_frame = [&](ServedStream& stream, const FrameStamp& stamp) {
        if (stamp.number % 40 != 20) return;
        CHECK_FALSE(stream.ask_now("now"));
        ++demands;
      }});
  CHECK(demands == 3);
  REQUIRE(all.answers.size() == 3);
  CHECK(all.answers[0]["data"]["frames"][0]["number"] == 20);
  CHECK(all.answers[1]["data"]["frames"][0]["number"] == 60);
  CHECK(all.answers[1]["data"]["skipped_before"] == 39);
}

TEST_CASE("a task against a reference waits for one, and then sees it beside every frame") {
  StubModel model;
  std::optional<std::string> wrong_task, wrong_kind;
  const OneStream all =
      serve_one(model,
                door("{task: pair, statement: \"the same\", against: {reference: empty}, every: 1s}, "
                     "{task: caption, frames: 1, every: 10s}"),
                ramp, {.before_frame = [&](ServedStream& stream, const FrameStamp& stamp) {
                  if (stamp.number != 25) return;
                  CHECK_FALSE(stream.take_reference("pair"));
                  wrong_task = stream.take_reference("other");
                  wrong_kind = stream.take_reference("caption");
                }});
  CHECK(wrong_task == "stream 'door' has no task 'other'");
  CHECK(wrong_kind == "task 'caption' of stream 'door' is not against a reference");
  std::vector<int> numbers;
  for (const Json& event : all.answers) {
    CHECK(schema_faults("answer", event).empty());
    const Json& frames = event["data"]["frames"];
    if (event["data"]["task"] != "pair") continue;
    REQUIRE(frames.size() == 2);
    CHECK(frames[0]["number"] == 30);
    CHECK(event["data"]["skipped_before"] == (numbers.empty() ? 3 : 0));  // those of 0, 10 and 20
    numbers.push_back(frames[1]["number"]);
  }
  CHECK(numbers == std::vector<int>{30, 40, 50, 60, 70, 80, 90, 100});
}

TEST_CASE("a task on motion is asked where something moves, and its neighbour is asked always") {
  StubModel model;
  StreamSettings settings = parse_settings(R"(streams:
  - name: door
    url: wall.mp4
    pace: false
    tasks:
      - {task: caption, frames: 1, every: 1s, when: motion}
      - {task: question, question: "who?", frames: 1, every: 1s}
)",
                                           "test.yaml")
                                .streams[0];
  const OneStream all = serve_one(
      model, settings, [](const SourceOptions&, std::stop_token) { return std::make_unique<Wall>(); });
  Seconds moving;
  int always = 0, skipped = 0;
  for (const Json& event : all.answers) {
    if (event["data"]["task"] == "question") {
      ++always;
      CHECK_FALSE(event["data"].contains("skipped_before"));
      continue;
    }
    moving.push_back(event["data"]["frames"][0]["pts_ms"].get<int>() / 1000);
    skipped += event["data"]["skipped_before"].get<int>();
  }
  CHECK(always == 11);
  CHECK(moving == Seconds{0, 1, 3, 7, 8, 9, 10});
  CHECK(skipped == 4);
}

TEST_CASE(
    "a task whose static frames are left out tells the tokens kept, and another of its clips keeps all") {
  log_from(LogLevel::kError);
  const StreamSettings stream = parse_settings(R"(streams:
  - name: door
    url: wall.mp4
    pace: false
    tasks:
      - {task: caption, span: 4s, every: 4s}
      - {task: caption, name: pruned, span: 4s, every: 4s, prune: "static:0.95"}
)",
                                               "test.yaml")
                                    .streams[0];
  StubModel model;
  const OneStream all = serve_one(
      model, stream, [](const SourceOptions&, std::stop_token) { return std::make_unique<Wall>(); });
  int pruned = 0, whole = 0;
  for (const Json& event : all.answers) {
    for (const std::string& fault : schema_faults("answer", event)) FAIL_CHECK(fault);
    const Json& window = event["data"]["window"];
    CHECK(window["tokens"] == 64);
    if (window.contains("prune")) {
      CHECK(window["prune"] == "static:0.95");
      CHECK(window["tokens_kept"] == 4);
      ++pruned;
    } else {
      CHECK(window["tokens_kept"] == 64);
      ++whole;
    }
  }
  CHECK(pruned == whole);
  CHECK(pruned >= 2);
}
