#include "tasks/events/event.h"

#include <doctest/doctest.h>

#include "base/time_text.h"
#include "tasks/events/answer_event.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

Event event_with(Json data) {
  return {.topic = "palisade/v1/a/caption",
          .source = "palisade://n/streams/a",
          .subject = "a",
          .data = std::move(data)};
}

Frame frame_at(std::chrono::milliseconds pts) {
  Frame frame;
  frame.stream = "front_door";
  frame.stamp.pts = pts;
  return frame;
}

}  // namespace

TEST_CASE("times are RFC 3339 in UTC with milliseconds") {
  CHECK(time_text(WallTime(1'795'424'724'123'999us)) == "2026-11-23T09:05:24.123Z");
  CHECK(time_text(WallTime(0us)) == "1970-01-01T00:00:00.000Z");
  CHECK(time_text(WallTime(951'782'400'000'000us)) == "2000-02-29T00:00:00.000Z");
  CHECK(time_text(WallTime(-1us)) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("a sequence has at least twelve digits") {
  CHECK(sequence_text(412) == "000000000412");
  CHECK(sequence_text(1'234'567'890'123) == "1234567890123");
}

TEST_CASE("topics follow the hierarchy") {
  CHECK(answer_topic("front_door", "caption") == "palisade/v1/front_door/caption");
  CHECK(state_topic("front_door") == "palisade/v1/front_door/state");
}

TEST_CASE("text that is not UTF-8 is published as UTF-8") {
  const std::string line = to_json_line(event_with({{"text", "a \xff\xc3 car"}}));
  CHECK(parse_json(line, "event")["data"]["text"] == "a \uFFFD\uFFFD car");
}

TEST_CASE("an event is one line whatever its text") {
  CHECK(to_json_line(event_with({{"text", "a\nb\r\x1b[31m"}})).find_first_of("\n\r\x1b") ==
        std::string::npos);
}

TEST_CASE("an answer that is too long is shortened and says so") {
  std::string text;
  for (std::size_t i = 0; i < kMaxEventBytes; ++i) text.append("\u00e4");
  const std::string line =
      to_json_line(event_with({{"text", text},
                               {"token_ids", std::vector<int>(40'000, 12345)},
                               {"token_logprobs", std::vector<double>(40'000, -0.123456789)}}));
  CHECK(line.size() < kMaxEventBytes);
  const Json json = parse_json(line, "event");
  CHECK(json["data"]["truncated"] == true);
  const std::string kept = json["data"]["text"];
  CHECK(kept.size() > 0);
  CHECK(text.starts_with(kept));  // cut between characters, not within one
  CHECK_FALSE(json["data"]["token_ids"].empty());
  CHECK(json["data"]["token_ids"].size() == json["data"]["token_logprobs"].size());
}

TEST_CASE("an event of ordinary length says nothing of shortening") {
  CHECK_FALSE(parse_json(to_json_line(event_with({{"text", "a"}})), "event")["data"].contains("truncated"));
}

TEST_CASE("a window's span is its sampling's, or what a fixed stride covered") {
  Clip clip{.frames = {frame_at(0ms), frame_at(2100ms)}, .sampling = {.count = 2, .span = 2000ms}};
  CHECK(window_of(clip, 256).span == 2000ms);
  CHECK(window_of(clip, 256).tokens_kept == 512);
  CHECK(window_of(clip, 256).tokens == 512);
  clip.sampling.policy = SamplingPolicy::kStride;
  clip.frames.push_back(frame_at(0ms));  // tiled
  CHECK(window_of(clip, 256).span == 2100ms);
}

TEST_CASE("the total of the timing is the sum of its parts") {
  const AnswerTiming timing{.wait = 12ms, .encode = 251ms, .prefill = 2210ms, .decode = 640ms};
  CHECK(timing.total() == 3113ms);
}
