#include "service/engine/request.h"

#include <doctest/doctest.h>

#include <map>

#include "service/engine/engine.h"
#include "tests/service/stub_model.h"

using namespace palisade;

TEST_CASE("requests with other adapters step in one batch; images are encoded anew where one changes them") {
  StubModel model;
  model.tokens_of = [](const std::string&) { return 3; };
  std::map<std::string, std::string> asked;
  model.on_adapter = [&](const std::string& prompt, const SharedAdapter& adapter) {
    asked[prompt] = adapter ? adapter->identity.id : "none";
  };
  const auto adapter = [](const char* id, bool seeing) {
    auto made = std::make_shared<Adapter>();
    made->identity.id = id;
    if (seeing) made->image_encoder.layers.resize(1);
    return made;
  };
  RequestQueue queue;
  std::vector<Reply> replies;
  const Image shared = small_image(1);
  for (const auto& [prompt, its] : {std::pair{"alone", SharedAdapter()},
                                    {"reads", adapter("reader", false)},
                                    {"sees", adapter("seer", true)},
                                    {"sees too", adapter("other seer", true)}}) {
    Request request{.clip = small_clip({shared}),
                    .prompts = {prompt},
                    .adapter = its,
                    .tell = [&replies](const Request&, const Reply& reply) { replies.push_back(reply); }};
    queue.push(prompt, 0, std::move(request));
  }
  queue.close();
  Engine(model, queue).join();
  CHECK(replies.size() == 4);
  CHECK(asked == std::map<std::string, std::string>{
                     {"alone", "none"}, {"reads", "reader"}, {"sees", "seer"}, {"sees too", "other seer"}});
  CHECK(model.encoded == 3);
  CHECK(model.most_together == 4);
}
