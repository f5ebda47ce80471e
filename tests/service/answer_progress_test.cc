// The progress that an engine reports of an unfinished answer.
#include <doctest/doctest.h>

#include "service/engine/engine.h"
#include "tests/service/stub_model.h"

using namespace palisade;

namespace {

Request watched_request(std::vector<Reply>& replies) {
  return {.clip = small_clip({small_image(1), small_image(2)}),
          .prompts = {"one"},
          .tell = [&replies](const Request&, const Reply& reply) { replies.push_back(reply); }};
}

void serve_watched(EngineModel& model, RequestQueue& queue) {
  queue.close();
  Engine engine(model, queue);
  engine.join();
}

}  // namespace

TEST_CASE("a request that asks for it is told of its stages, and of its text piece by piece") {
  StubModel model;
  // The third step ends in the middle of a character.
  const std::vector<std::string> texts{"", "a", "a c", "a c\uFFFD", "a c\u00e2t"};
  model.tokens_of = [](const std::string&) { return 4; };
  model.text_so_far = [&](int steps) { return texts[std::size_t(steps)]; };
  RequestQueue queue;
  std::vector<Reply> replies;
  std::vector<AnswerStage> stages;
  std::vector<std::string> pieces;
  Request request = watched_request(replies);
  request.progress = [&](const AnswerProgress& progress) {
    if (stages.empty() || stages.back() != progress.stage) stages.push_back(progress.stage);
    if (progress.stage == AnswerStage::kDecoding) pieces.emplace_back(progress.text);
    CHECK(replies.empty());
  };
  queue.push("a", 0, std::move(request));
  serve_watched(model, queue);
  CHECK(replies.size() == 1);
  CHECK(stages == std::vector{AnswerStage::kQueued, AnswerStage::kEncoding, AnswerStage::kPrefill,
                              AnswerStage::kDecoding});
  CHECK(pieces == std::vector<std::string>{"a", " c", "\u00e2t"});
}

TEST_CASE("beams and choices have no text before their end") {
  StubModel model;
  model.tokens_of = [](const std::string&) { return 3; };
  model.text_so_far = [](int steps) { return std::string(std::size_t(steps), 'x'); };
  RequestQueue queue;
  std::vector<Reply> replies;
  Request request = watched_request(replies);
  request.method = BeamSearch{};
  request.progress = [](const AnswerProgress& progress) { CHECK(progress.text.empty()); };
  queue.push("a", 0, std::move(request));
  serve_watched(model, queue);
  CHECK(replies.size() == 1);
}
