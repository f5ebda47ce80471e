#include "service/engine.h"

#include <doctest/doctest.h>

#include <future>

#include "tests/service/stub_model.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

Request asking(std::vector<std::string> prompts, std::vector<Reply>& replies) {
  return {.clip = small_clip({small_image(1), small_image(2)}),
          .prompts = std::move(prompts),
          .tell = [&replies](const Request&, const Reply& reply) { replies.push_back(reply); }};
}

// Serves what waits in the queue.
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
  model.on_answer = [](const std::string& prompt, const DecodingOptions&, const std::stop_token&) {
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

TEST_CASE("a stop interrupts the answer that is being given and drops the rest") {
  StubModel model;
  std::promise<void> begun;
  model.on_answer = [&](const std::string&, const DecodingOptions& options, const std::stop_token& stop) {
    begun.set_value();
    while (!options.cancelled()) std::this_thread::yield();
    CHECK(stop.stop_requested());
    throw ModelStopped{};
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
  bool cancelled = false;
  model.on_answer = [&](const std::string&, const DecodingOptions& options, const std::stop_token&) {
    cancelled = options.cancelled();
  };
  RequestQueue queue;
  std::vector<Reply> replies;
  Request request = asking({"one"}, replies);
  request.cancelled = [] { return true; };
  queue.push_person(std::move(request));
  serve_all(model, queue);
  CHECK(cancelled);
}

TEST_CASE("each answer has its own deadline") {
  StubModel model;
  std::vector<MonotonicTime> deadlines;
  model.on_answer = [&](const std::string&, const DecodingOptions& options, const std::stop_token&) {
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
  model.on_answer = [&, may = go_on.get_future().share()](const std::string&, const DecodingOptions&,
                                                          const std::stop_token&) { may.wait(); };
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
