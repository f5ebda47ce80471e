#include "service/engine/engine.h"

#include <doctest/doctest.h>

#include <future>
#include <random>

#include "base/format.h"
#include "tests/service/stub_model.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

Request asking(std::vector<std::string> prompts, std::vector<Reply>& replies) {
  return {.clip = small_clip({small_image(1), small_image(2)}),
          .prompts = std::move(prompts),
          .tell = [&replies](const Request&, const Reply& reply) { replies.push_back(reply); }};
}

// Serves the requests in the queue.
void serve_all(EngineModel& model, RequestQueue& queue) {
  queue.close();
  Engine engine(model, queue);
  engine.join();
}

}  // namespace

TEST_CASE("every prompt of a clip is answered, and its images are encoded once") {
  StubModel model;
  RequestQueue queue;
  std::vector<Reply> replies;
  queue.push("a", 0, asking({"one", "two"}, replies));
  serve_all(model, queue);
  REQUIRE(replies.size() == 2);
  CHECK(replies[0].answer.text == "said: one");
  CHECK(replies[1].answer.text == "said: two");
  CHECK(replies[1].prompt_index == 1);
  CHECK(model.encoded == 2);
  CHECK(model.features_seen == 2);
}

TEST_CASE("an image that stands in several clips is encoded once") {
  StubModel model;
  RequestQueue queue;
  const Image shared = small_image(1);
  std::vector<Reply> replies;
  for (int i = 0; i < 2; ++i) {
    Request request = asking({"x"}, replies);
    request.clip = small_clip({shared, shared, small_image(2)});
    queue.push("a", 0, std::move(request));
  }
  serve_all(model, queue);
  CHECK(replies.size() == 2);
  CHECK(model.encoded == 3);
  CHECK(model.features_seen == 3);
}

TEST_CASE("a request that fails is told so and harms no other") {
  StubModel model;
  model.on_answer = [](const std::string& prompt, const DecodingOptions&) {
    if (prompt == "bad") throw std::runtime_error("logits are not finite");
  };
  RequestQueue queue;
  std::vector<Reply> replies;
  queue.push("a", 0, asking({"bad", "good"}, replies));
  queue.push("b", 0, asking({"good"}, replies));
  serve_all(model, queue);
  REQUIRE(replies.size() == 3);
  CHECK(replies[0].error == "logits are not finite");
  CHECK(replies[0].answer.text.empty());
  CHECK(replies[1].error.empty());
  CHECK(replies[2].answer.text == "said: good");
}

TEST_CASE("a stop ends the answer that is being given and drops the rest") {
  StubModel model;
  std::promise<void> begun;
  model.tokens_of = [](const std::string&) { return 1'000'000'000; };
  model.on_answer = [&](const std::string& prompt, const DecodingOptions&) {
    if (prompt == "one") begun.set_value();
  };
  RequestQueue queue;
  std::vector<Reply> replies;
  queue.push("a", 0, asking({"one"}, replies));
  queue.push("b", 0, asking({"two"}, replies));
  Engine engine(model, queue);
  begun.get_future().wait();
  engine.request_stop();
  engine.join();
  CHECK(replies.empty());
  CHECK(queue.size() == 0);
}

TEST_CASE("whoever asked may leave while the answer is given") {
  StubModel model;
  model.tokens_of = [](const std::string&) { return 1'000'000'000; };
  RequestQueue queue;
  std::vector<Reply> replies;
  Request request = asking({"one"}, replies);
  int asked = 0;
  request.cancelled = [&] { return ++asked > 10; };
  queue.push_person(std::move(request));
  serve_all(model, queue);
  REQUIRE(replies.size() == 1);
  CHECK(replies[0].answer.finish_reason == FinishReason::kCancelled);
}

TEST_CASE("answers step together, join and leave at any token") {
  StubModel model;
  model.tokens_of = [](const std::string& prompt) { return int(prompt.size()); };
  RequestQueue queue;
  std::vector<Reply> replies;
  for (int i = 0; i < 2; ++i) {
    for (const char* stream : {"a", "b"}) queue.push(stream, i, asking({std::string(5 + i, 'x')}, replies));
  }
  serve_all(model, queue);
  CHECK(replies.size() == 4);
  CHECK(model.most_together >= 2);
  CHECK(model.steps < 4 * 5);
  CHECK(model.encode_batches <= 2);
}

TEST_CASE("a person's question that comes behind eight windows is answered first") {
  StubModel model;
  model.prefill_slices = 50;
  std::vector<std::string> order;
  RequestQueue queue;
  const auto note = [&](const Request& request, const Reply& reply) {
    order.push_back(request.prompts[reply.prompt_index]);
  };
  std::promise<void> begun;
  std::promise<void> may;
  std::atomic<int> slices{0};
  model.on_slice = [&, wait = may.get_future().share()] {
    if (++slices == 1) begun.set_value();
    wait.wait();
  };
  for (int i = 0; i < 8; ++i) {
    Request window{.clip = small_clip({small_image(1)}), .prompts = {"window"}, .tell = note};
    queue.push(format("camera{}", i), 0, std::move(window));
  }
  Engine engine(model, queue, {.slice = std::chrono::milliseconds(0)});
  begun.get_future().wait();
  queue.push_person({.clip = small_clip({small_image(2)}), .prompts = {"person"}, .tell = note});
  may.set_value();
  queue.close();
  engine.join();
  REQUIRE(order.size() == 9);
  CHECK(order[0] == "person");
}

TEST_CASE("people are answered in the order in which they asked") {
  StubModel model;
  RequestQueue queue;
  std::string order;
  for (const char* name : {"a", "b", "c", "d"}) {
    queue.push_person({.clip = small_clip({small_image(std::uint8_t(name[0]))}),
                       .prompts = {name},
                       .tell = [&](const Request& request, const Reply&) { order += request.prompts[0]; }});
  }
  serve_all(model, queue);
  CHECK(order == "abcd");
}

TEST_CASE("a series' answers are told in the order of its clips, whichever ends first") {
  StubModel model;
  model.tokens_of = [](const std::string& prompt) { return prompt == "long" ? 50 : 1; };
  RequestQueue queue;
  std::vector<std::string> order;
  const auto note = [&](const Request& request, const Reply& reply) {
    order.push_back(request.prompts[reply.prompt_index]);
  };
  for (const char* prompt : {"long", "short"}) {
    queue.push("a", 0, {.clip = small_clip({small_image(1)}), .prompts = {prompt}, .tell = note});
  }
  queue.push("b", 0, {.clip = small_clip({small_image(2)}), .prompts = {"other"}, .tell = note});
  serve_all(model, queue);
  CHECK(order == std::vector<std::string>{"other", "long", "short"});
}

TEST_CASE(
    "who does not fit into the memory for keys and values waits, and what never fits is told the number") {
  StubModel model;
  model.bytes_each = 400;
  model.tokens_of = [](const std::string&) { return 3; };
  RequestQueue queue;
  std::vector<Reply> replies;
  for (int i = 0; i < 8; ++i) queue.push(format("camera{}", i), 0, asking({"x"}, replies));
  queue.close();
  SUBCASE("two at a time") {
    Engine engine(model, queue, {.kv_cache_bytes = 1000});
    engine.join();
    CHECK(replies.size() == 8);
    CHECK(model.most_together == 2);
    for (const Reply& reply : replies) CHECK(reply.error.empty());
  }
  SUBCASE("never") {
    Engine engine(model, queue, {.kv_cache_bytes = 399});
    engine.join();
    REQUIRE(replies.size() == 8);
    for (const Reply& reply : replies)
      CHECK(reply.error.find("keys and values need 1 MB") != std::string::npos);
  }
  CHECK(model.alive == 0);
}

TEST_CASE("random arrivals, failures, cancellations and deadlines: every request is answered exactly once") {
  const unsigned seed = 20261123;
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  StubModel model;
  model.prefill_slices = 3;
  model.bytes_each = 100;
  model.tokens_of = [](const std::string& prompt) { return int(prompt.size()); };
  model.on_answer = [](const std::string& prompt, const DecodingOptions&) {
    if (prompt.starts_with("bad")) throw std::runtime_error("logits are not finite");
  };
  model.on_encode = [](const std::vector<Image>& images) {
    if (images.size() % 7 == 6) throw std::runtime_error("no encoding");
  };
  RequestQueue queue;
  constexpr int kRequests = 10'000;
  std::vector<std::atomic<int>> told(kRequests);
  std::uint64_t dropped = 0, refused = 0;
  {
    Engine engine(model, queue,
                  {.slice = std::chrono::milliseconds(1), .kv_cache_bytes = 750, .answers = 12});
    std::vector<Image> shared;
    for (int i = 0; i < 50; ++i) shared.push_back(small_image(std::uint8_t(i)));
    for (int i = 0; i < kRequests; ++i) {
      std::vector<Image> images;
      for (unsigned k = 0; k <= random() % 4; ++k) images.push_back(shared[random() % shared.size()]);
      Request request{.clip = small_clip(std::move(images)),
                      .prompts = {(random() % 20 == 0 ? "bad" : "") + std::string(random() % 12, 'x')},
                      .deadline = std::chrono::milliseconds(random() % 10 == 0 ? 0 : 60'000),
                      .tell = [&told, i](const Request&, const Reply&) { ++told[i]; }};
      if (random() % 10 == 0) request.cancelled = [] { return true; };
      if (random() % 3 == 0) {
        if (!queue.push_person(std::move(request))) {
          ++refused;
          ++told[i];
        }
      } else {
        dropped += queue.push(format("camera{}", random() % 8), int(random() % 2), std::move(request));
      }
      if (random() % 64 == 0) std::this_thread::yield();
    }
    queue.close();
    engine.join();
  }
  std::uint64_t once = 0, never = 0, more = 0;
  for (const auto& count : told) {
    once += count == 1;
    never += count == 0;
    more += count > 1;
  }
  CHECK(more == 0);
  CHECK(never == dropped);
  CHECK(once == kRequests - dropped);
  MESSAGE(once << " answered or refused (" << refused << "), " << dropped << " dropped for newer ones");
  CHECK(model.alive == 0);
}

TEST_CASE("a caller who leaves or a deadline that passes in the middle of the prefill ends it there") {
  StubModel model;
  model.prefill_slices = 1'000'000'000;
  RequestQueue queue;
  std::vector<Reply> replies;
  Request request = asking({"one"}, replies);
  FinishReason expected{};
  int asked = 0;
  SUBCASE("left") {
    request.cancelled = [&] { return ++asked > 20; };
    expected = FinishReason::kCancelled;
  }
  SUBCASE("late") {
    request.deadline = 30ms;
    expected = FinishReason::kDeadline;
  }
  queue.push_person(std::move(request));
  serve_all(model, queue);
  REQUIRE(replies.size() == 1);
  CHECK(replies[0].error.empty());
  CHECK(replies[0].answer.finish_reason == expected);
  CHECK(model.alive == 0);
}

TEST_CASE("nothing is encoded for a caller who has left") {
  StubModel model;
  RequestQueue queue;
  std::vector<Reply> replies;
  Request request = asking({"one"}, replies);
  request.cancelled = [] { return true; };
  queue.push_person(std::move(request));
  serve_all(model, queue);
  REQUIRE(replies.size() == 1);
  CHECK(replies[0].answer.finish_reason == FinishReason::kCancelled);
  CHECK(model.encoded == 0);
}

TEST_CASE("a long prefill leaves those who are decoding a token after every slice") {
  StubModel model;
  constexpr int kPieces = 60;
  constexpr auto kPiece = 5ms;
  model.tokens_of = [](const std::string& prompt) { return prompt == "long" ? 0 : 1'000'000'000; };
  std::atomic<int> pieces{0}, most_between{0}, seen{0};
  std::atomic<bool> begun{false}, ended{false};
  model.on_slice = [&] {
    if (!begun) return;
    most_between = std::max(most_between.load(), ++pieces - seen);
    std::this_thread::sleep_for(kPiece);
  };
  model.on_step = [&] { seen = pieces.load(); };
  RequestQueue queue;
  std::vector<Reply> replies;
  for (int i = 0; i < 8; ++i) {
    Request request = asking({"x"}, replies);
    request.cancelled = [&] { return ended.load(); };
    queue.push(format("camera{}", i), 0, std::move(request));
  }
  Engine engine(model, queue, {.slice = 10 * kPiece});
  while (model.most_together < 8) std::this_thread::yield();
  model.prefill_slices = kPieces;
  begun = true;
  queue.push_person({.clip = small_clip({small_image(3)}),
                     .prompts = {"long"},
                     .tell = [&](const Request&, const Reply&) { ended = true; }});
  queue.close();
  engine.join();
  CHECK(pieces == kPieces);
  CHECK(most_between <= 10);  // a slower clock only makes fewer
  CHECK(replies.size() == 8);
}

TEST_CASE("each answer has its own deadline") {
  StubModel model;
  std::vector<MonotonicTime> deadlines;
  model.on_answer = [&](const std::string&, const DecodingOptions& options) {
    deadlines.push_back(*options.deadline);
  };
  RequestQueue queue;
  std::vector<Reply> replies;
  Request request = asking({"one", "two"}, replies);
  request.deadline = 5s;
  const auto before = std::chrono::steady_clock::now();
  queue.push("a", 0, std::move(request));
  serve_all(model, queue);
  REQUIRE(deadlines.size() == 2);
  CHECK(deadlines[0] >= before + 5s);
  CHECK(deadlines[1] >= deadlines[0]);
}

TEST_CASE("an engine whose model is at work can be waited for in vain") {
  StubModel model;
  std::promise<void> go_on;
  model.on_answer = [&, may = go_on.get_future().share()](const std::string&, const DecodingOptions&) {
    may.wait();
  };
  RequestQueue queue;
  std::vector<Reply> replies;
  queue.push("a", 0, asking({"one"}, replies));
  Engine engine(model, queue);
  CHECK_FALSE(engine.join_until(std::chrono::steady_clock::now() + 20ms));
  go_on.set_value();
  queue.close();
  engine.join();
  CHECK(engine.join_until(std::chrono::steady_clock::now()));
}

TEST_CASE("what is unchanged after encoding does not reach the language model, and is told in its turn") {
  StubModel model;
  RequestQueue queue;
  std::vector<Reply> replies;
  for (const bool unchanged : {false, true, false}) {
    Request request = asking({"one", "two"}, replies);
    request.unchanged = [&, unchanged](const Clip& clip, std::span<const ImageFeatures> features) {
      CHECK(clip.frames.size() == 2);
      CHECK(features.size() == 2);
      return unchanged;
    };
    // A lane for each, because a lane has room for two.
    queue.push_person(std::move(request));
  }
  serve_all(model, queue);
  REQUIRE(replies.size() == 6);
  CHECK(model.answered == 4);
  CHECK(std::ranges::count_if(replies, &Reply::unchanged) == 2);
  for (const Reply& reply : replies) {
    CHECK(reply.error.empty());
    CHECK(reply.answer.text.empty() == reply.unchanged);
  }
}
