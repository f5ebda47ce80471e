#include "service/engine/answer_meter.h"

#include <doctest/doctest.h>

#include "service/bench/forecast.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

const MonotonicTime kMeterBegin{};

Request request_of(const std::string& stream) {
  Request request{.prompts = {"caption en"}};
  request.clip.frames.push_back({.stream = stream});
  request.series = stream + " 0";
  return request;
}

Reply reply_of(std::chrono::milliseconds encode, std::chrono::milliseconds prefill,
               std::chrono::milliseconds decode, int images = 1, int image_tokens = 100, int tokens = 10) {
  Reply reply{.timing = {.wait = 5ms, .encode = encode, .prefill = prefill, .decode = decode},
              .images_encoded = images,
              .image_tokens = image_tokens};
  reply.answer.token_ids.resize(std::size_t(tokens));
  return reply;
}

}  // namespace

TEST_CASE("the load is the share of time that the engine worked, shared out by what streams asked for") {
  AnswerMeter meter(kMeterBegin);
  for (int second = 1; second <= 100; ++second) {
    const auto now = kMeterBegin + std::chrono::seconds(second);
    meter.worked(400ms, now);
    meter.answered(request_of("gate"), reply_of(100ms, 100ms, 100ms), now);
    meter.answered(request_of("yard"), reply_of(50ms, 25ms, 25ms), now);
  }
  const EngineLoad load = meter.load(kMeterBegin + 100s);
  CHECK(load.used == doctest::Approx(0.4));
  CHECK(load.shares.at("gate") == doctest::Approx(0.3));
  CHECK(load.shares.at("yard") == doctest::Approx(0.1));
  // Nothing happens for a while.
  CHECK(meter.load(kMeterBegin + 160s).used == doctest::Approx(0.4 * 60 / 120).epsilon(0.03));
  CHECK(meter.load(kMeterBegin + 400s).used == 0);
  CHECK(meter.load(kMeterBegin + 400s).shares.empty());
}

TEST_CASE("people are told apart from streams, and failures cost nothing") {
  AnswerMeter meter(kMeterBegin);
  Request person = request_of("gate");
  person.person = true;
  meter.worked(500ms, kMeterBegin + 1s);
  meter.answered(person, reply_of(10ms, 10ms, 10ms), kMeterBegin + 1s);
  Reply failed = reply_of(10ms, 10ms, 10ms);
  failed.error = "too long";
  meter.answered(request_of("gate"), failed, kMeterBegin + 1s);
  const EngineLoad load = meter.load(kMeterBegin + 1s);
  CHECK(load.shares.size() == 1);
  CHECK(load.shares.at("") == doctest::Approx(0.5));
  CHECK(meter.stages().answers == 1);
}

TEST_CASE("stages have their median and their 95th percentile") {
  AnswerMeter meter(kMeterBegin);
  for (int i = 1; i <= 101; ++i)
    meter.answered(request_of("gate"), reply_of(std::chrono::milliseconds(i), 1ms, 1ms), kMeterBegin);
  CHECK(meter.stages().encode.p50 == doctest::Approx(0.051));
  CHECK(meter.stages().encode.p95 == doctest::Approx(0.096));
  CHECK(meter.stages().wait.p50 == doctest::Approx(0.005));
}

TEST_CASE("costs are unknown before the first answer, and are scaled to what the engine really worked") {
  AnswerMeter meter(kMeterBegin);
  CHECK_FALSE(meter.costs());
  // Two answers side by side each count the same 200 ms, in which the engine worked once.
  for (int second = 1; second <= 10; ++second) {
    const auto now = kMeterBegin + std::chrono::seconds(second);
    meter.worked(200ms, now);
    for (int i = 0; i < 2; ++i) meter.answered(request_of("gate"), reply_of(100ms, 50ms, 50ms), now);
  }
  const auto costs = meter.costs();
  REQUIRE(costs);
  CHECK(costs->encode_image == doctest::Approx(0.05));
  CHECK(costs->prefill_token == doctest::Approx(0.025 / 100));
  CHECK(costs->decode_token == doctest::Approx(0.0025));
}

TEST_CASE("a forecast grows with the windows, the frames and the tasks, and leaves out who is paused") {
  const AnswerCosts costs{.encode_image = 0.01, .prefill_token = 1e-5, .decode_token = 0.001};
  const auto stream = [](const std::string& name, int frames, int every_s, int tasks) {
    std::string text = "  - name: " + name + "\n    url: rtsp://192.0.2.1/a\n    tasks:\n";
    for (int i = 0; i < tasks; ++i)
      text += "      - {task: caption, name: t" + std::to_string(i) + ", frames: " + std::to_string(frames) +
              ", every: " + std::to_string(every_s) + "s}\n";
    return text;
  };
  const std::string text = "streams:\n" + stream("slow", 1, 8, 1) + stream("fast", 1, 2, 1) +
                           stream("two", 1, 8, 2) + stream("off", 1, 1, 1) + "    paused: true\n";
  const auto shares = forecast_shares(parse_settings(text, "test"), costs, 256);
  // An image of 10 ms, 272 tokens of 10 us and 16 tokens of 1 ms, every eight seconds.
  CHECK(shares.at("slow") == doctest::Approx((0.01 + 272 * 1e-5 + 0.016) / 8).epsilon(0.1));
  CHECK(shares.at("fast") == doctest::Approx(4 * shares.at("slow")).epsilon(0.1));
  CHECK(shares.at("two") > 1.5 * shares.at("slow"));
  CHECK_FALSE(shares.contains("off"));
}
