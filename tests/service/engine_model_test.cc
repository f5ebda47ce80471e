#include "service/engine/engine_model.h"

#include <doctest/doctest.h>

#include <future>
#include <map>
#include <random>

#include "base/format.h"
#include "ingest/pictures/picture.h"
#include "model/error.h"
#include "service/engine/engine.h"
#include "tests/model/golden.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

Image square(const EngineModel& model, const char* name) {
  return resize(read_picture(kReference / "images" / name), model.image_size(), model.image_size(),
                ResizePreset::kHfBicubic);
}

Clip clip_of(const std::vector<Image>& images) {
  Clip clip;
  for (const Image& image : images) {
    Frame frame;
    frame.image = image;
    clip.frames.push_back(std::move(frame));
  }
  return clip;
}

// Requests of every decoding method, about one to four of these pictures.
std::vector<Request> mixed_requests(EngineModel& model, std::mt19937& random, int count) {
  std::vector<Image> pictures;
  for (const char* name : {"still0.png", "still1.png", "still2.png"}) {
    pictures.push_back(square(model, name));
  }
  std::vector<Request> requests;
  for (int i = 0; i < count; ++i) {
    std::vector<Image> images;
    for (unsigned k = 0; k <= random() % 4; ++k) images.push_back(pictures[random() % pictures.size()]);
    Request request{.clip = clip_of(images)};
    for (unsigned k = 0; k <= random() % 2; ++k)
      request.prompts.push_back("answer en how many " + std::string(random() % 9, 's') + "?");
    request.max_new_tokens = int(1 + random() % 12);
    switch (random() % 5) {
      case 0:
        request.method = BeamSearch{.beams = 3};
        break;
      case 1:
        request.method = Choices{{"yes", "no", "a red square"}};
        break;
      case 2:
        request.method = TokenSampling{.temperature = 1.5, .seed = random()};
        break;
      default:
        break;
    }
    requests.push_back(std::move(request));
  }
  return requests;
}

using Answers = std::map<std::pair<int, std::size_t>, Reply>;

// Records the request of each reply.
void tell_into(Request& request, int index, Answers& answers) {
  request.tell = [&answers, index](const Request&, const Reply& reply) {
    answers[{index, reply.prompt_index}] = reply;
  };
}

}  // namespace

TEST_CASE("batched, interleaved and single runs give the same tokens") {
  const unsigned seed = 20261123;
  MESSAGE("seed " << seed);
  for (const char* name : {"paligemma1-tiny", "paligemma2-tiny"}) {
    CAPTURE(name);
    std::mt19937 random(seed);
    const auto model = load_engine_model(kReference / "models" / name);
    const auto requests = mixed_requests(*model, random, 40);
    Answers alone, together;
    for (int i = 0; i < int(requests.size()); ++i) {
      RequestQueue queue;
      Request request = requests[i];
      tell_into(request, i, alone);
      queue.push_person(std::move(request));
      queue.close();
      Engine(*model, queue).join();
    }
    RequestQueue queue;
    Engine engine(*model, queue, {.slice = 1ms});
    for (int i = 0; i < int(requests.size()); ++i) {
      Request request = requests[i];
      tell_into(request, i, together);
      if (i % 3 == 0) {
        while (!queue.push_person(request)) std::this_thread::yield();
      } else {
        queue.push(format("camera{}", i), 0, std::move(request));
      }
      if (i % 5 == 0) std::this_thread::sleep_for(5ms);
    }
    queue.close();
    engine.join();
    REQUIRE(together.size() == alone.size());
    for (const auto& [key, reply] : alone) {
      const Reply& other = together.at(key);
      CHECK(reply.error.empty());
      CHECK(other.error.empty());
      CHECK(other.answer.token_ids == reply.answer.token_ids);
      CHECK(other.answer.logprob == doctest::Approx(reply.answer.logprob).epsilon(1e-3));
      CHECK(other.answer.choices.size() == reply.answer.choices.size());
    }
  }
}

TEST_CASE("requests with two adapters and without one get transformers' tokens from one engine") {
  const auto folder = kReference / "adapters";
  for (const std::string name : {"paligemma1-tiny", "paligemma2-tiny"}) {
    CAPTURE(name);
    const auto model = load_engine_model(kReference / "models" / name);
    const Json cases = read_json(folder / "expected" / name / "cases.json")["cases"];
    RequestQueue queue;
    Answers answers;
    std::vector<std::vector<TokenId>> expected;
    const Image pictures[] = {square(*model, "still0.png"), square(*model, "still1.png")};
    // Of both adapters one changes what images look like.
    for (const std::string adapter : {"base", "trained_a", "everything"}) {
      const Json golden = read_json(folder / "expected" / name / (adapter + ".json"));
      for (int index = 0; index < 2; ++index) {
        REQUIRE(cases[index]["images"][0] == "images/still" + std::to_string(index) + ".png");
        Request request{.clip = clip_of({pictures[index]}),
                        .prompts = {cases[index]["prompt"].get<std::string>()},
                        .max_new_tokens = 12};
        if (adapter != "base") request.adapter = model->load_adapter(folder / "adapters" / name / adapter);
        tell_into(request, int(expected.size()), answers);
        expected.push_back(golden["greedy"][index].get<std::vector<TokenId>>());
        queue.push(adapter + std::to_string(index), 0, std::move(request));
      }
    }
    const SharedAdapter once = model->load_adapter(folder / "adapters" / name / "trained_a");
    CHECK(once == model->load_adapter(folder / "adapters" / name / "trained_a"));
    queue.close();
    Engine(*model, queue).join();
    REQUIRE(answers.size() == expected.size());
    for (const auto& [key, reply] : answers) {
      CAPTURE(key.first);
      CHECK(reply.error.empty());
      CHECK(reply.answer.token_ids == expected[key.first]);
      CHECK(reply.images_encoded == (key.first == 2 || key.first == 3 ? 0 : 1));
    }
  }
}

TEST_CASE("what cannot be asked is refused alone, with the reason, and the others get their tokens") {
  const auto model = load_engine_model(kReference / "models/paligemma1-tiny");
  const Image picture = square(*model, "still0.png");
  const Request sound{.clip = clip_of({picture}), .prompts = {"caption en"}, .max_new_tokens = 8};
  std::map<std::string, Request> bad;
  bad["positions"] = sound;
  bad["positions"].prompts = {std::string(40'000, 'x')};
  bad["use fewer images"] = sound;
  bad["use fewer images"].clip = clip_of(std::vector<Image>(3000, picture));
  bad["choice"] = sound;
  bad["choice"].method = Choices{{"yes", ""}};
  bad["beams"] = sound;
  bad["beams"].method = BeamSearch{.beams = 0};
  const auto run = [&](bool with_bad) {
    Answers answers;
    std::map<std::string, Reply> refused;
    RequestQueue queue;
    for (int i = 0; i < 4; ++i) {
      Request request = sound;
      tell_into(request, i, answers);
      queue.push(format("camera{}", i), 0, std::move(request));
    }
    if (with_bad) {
      for (auto& [name, wish] : bad) {
        Request request = wish;
        request.tell = [&refused, key = name](const Request&, const Reply& reply) { refused[key] = reply; };
        queue.push("bad " + name, 0, std::move(request));
      }
    }
    queue.close();
    Engine(*model, queue).join();
    if (with_bad) {
      CHECK(refused.size() == bad.size());
      for (const auto& [name, reply] : refused) {
        CAPTURE(name);
        CAPTURE(reply.error);
        CHECK(reply.error.find(name) != std::string::npos);
      }
    }
    std::vector<std::vector<TokenId>> tokens;
    for (const auto& [key, reply] : answers) tokens.push_back(reply.answer.token_ids);
    return tokens;
  };
  const auto undisturbed = run(false);
  CHECK(undisturbed.size() == 4);
  CHECK(run(true) == undisturbed);
}

TEST_CASE("a rolling window encodes one new image, and more prompts encode none") {
  const auto model = load_engine_model(kReference / "models/paligemma1-tiny");
  std::vector<Image> frames;
  for (int i = 0; i < 20; ++i) frames.push_back(square(*model, "still0.png"));  // each its own image
  RequestQueue queue;
  std::vector<int> encoded;
  Engine engine(*model, queue);
  for (int first = 0; first + 16 <= int(frames.size()); ++first) {
    std::promise<void> answered;
    std::size_t replies = 0;
    int images = 0;
    Request request{.clip = clip_of({frames.begin() + first, frames.begin() + first + 16}),
                    .prompts = {"a", "b", "c", "d", "e"},
                    .max_new_tokens = 1,
                    .tell = [&](const Request&, const Reply& reply) {
                      images += reply.images_encoded;
                      if (++replies == 5) answered.set_value();
                    }};
    queue.push("camera", 0, std::move(request));
    answered.get_future().wait();
    encoded.push_back(images);
  }
  CHECK(encoded == std::vector<int>{16, 1, 1, 1, 1});
  queue.close();
}
