#include "model/siglip/siglip.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <functional>

#include "base/format.h"
#include "base/json.h"
#include "ingest/pictures/picture.h"
#include "model/error.h"
#include "model/weights/safetensors.h"
#include "tests/model/golden.h"

using namespace palisade;

namespace {

namespace fs = std::filesystem;
const fs::path kTiny = kReference / "models/siglip-tiny";

double difference(std::span<const float> expected, const Matrix& actual) {
  REQUIRE(expected.size() == actual.size());
  double largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i)
    largest = std::max(largest, std::abs(double(expected[i]) - actual.data()[i]));
  return largest;
}

// A copy of the tiny folder whose configuration a test may change.
struct Folder {
  fs::path path = fs::temp_directory_path() / format("palisade-siglip-{}", ::getpid());
  Folder() {
    fs::remove_all(path);
    fs::copy(kTiny, path);
  }
  ~Folder() { fs::remove_all(path); }

  std::string error_with(const std::function<void(Json&)>& change) const {
    Json json = read_json(kTiny / "config.json");
    change(json);
    fs::permissions(path / "config.json", fs::perms::owner_all, fs::perm_options::add);
    std::ofstream(path / "config.json") << json.dump();
    try {
      const Siglip model(path);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("every picture and text scores as transformers scores it") {
  const Siglip model(kTiny);
  const Json json = read_json(kReference / "cases/siglip-tiny/zero_shot.json");
  const SafetensorsFile golden(kReference / "cases/siglip-tiny/zero_shot.safetensors");
  const auto texts = json["texts"].get<std::vector<std::string>>();
  std::vector<Image> images;
  for (const Json& name : json["images"]) images.push_back(read_picture(kReference / name));
  const Matrix image_embeds = model.embed(images), text_embeds = model.embed(texts);
  Matrix logits = model.logits(image_embeds, text_embeds);
  CHECK(difference(golden.at("image_embeds").to_floats(), image_embeds) < 1e-4);
  CHECK(difference(golden.at("text_embeds").to_floats(), text_embeds) < 1e-4);
  CHECK(difference(golden.at("logits_per_image").to_floats(), logits) < 1e-3);
  for (float& logit : std::span(logits.data(), logits.size())) logit = probability_of(logit);
  CHECK(difference(golden.at("probs").to_floats(), logits) < 1e-4);
}

TEST_CASE("a text scores the same alone and among others") {
  const Siglip model(kTiny);
  const std::vector<std::string> texts = {"a red square", "nothing", "what is left of the tree?"};
  const Matrix together = model.embed(texts);
  for (int text = 0; text < 3; ++text) {
    const Matrix alone = model.embed({&texts[text], 1});
    CHECK(difference(together.row(text), alone) < 1e-5);
  }
}

TEST_CASE("the released sizes give their published parameter counts") {
  const fs::path file = fs::temp_directory_path() / format("palisade-siglip-{}.json", ::getpid());
  // google/siglip-base-patch16-224 leaves everything to the defaults.
  std::ofstream(file) << R"({"model_type": "siglip", "text_config": {}, "vision_config": {}})";
  CHECK(read_siglip_config(file).parameter_count() == 203'155'970ull);
  fs::remove(file);
}

TEST_CASE("a SigLIP configuration that cannot be used is named by its key") {
  const Folder folder;
  CHECK(folder.error_with([](Json&) {}) == "");
  CHECK(contains(folder.error_with([](Json& json) { json["model_type"] = "clip"; }), "CLIP, another family"));
  CHECK(contains(folder.error_with([](Json& json) { json["text_config"]["projection_size"] = 16; }),
                 "\"projection_size\" is 16"));
  CHECK(contains(folder.error_with([](Json& json) { json["text_config"]["num_attention_heads"] = 5; }),
                 "does not divide"));
  CHECK(contains(folder.error_with([](Json& json) { json["text_config"]["hidden_act"] = "relu"; }), "relu"));
  CHECK(contains(folder.error_with([](Json& json) { json["text_config"]["max_position_embeddings"] = 0; }),
                 "max_position_embeddings"));
  CHECK(contains(folder.error_with([](Json& json) { json["vision_config"]["vision_use_head"] = false; }),
                 "pooling head"));
  CHECK(contains(folder.error_with([](Json& json) { json["text_config"] = 3; }), "expected an object"));
  CHECK(
      contains(folder.error_with([](Json& json) { json["text_config"]["vocab_size"] = 100; }), "[100, 32]"));
  CHECK(contains(folder.error_with([](Json& json) { json.erase("text_config"); }),
                 "\"projection_size\" is 768"));
  CHECK(contains(folder.error_with([](Json& json) { json = Json::array(); }), "expected an object"));
}

TEST_CASE("a SigLIP folder without weights or tokenizer is named with the remedy") {
  const Folder folder;
  fs::remove(folder.path / "spiece.model");
  CHECK(contains(folder.error_with([](Json&) {}), "spiece.model: no such file"));
  fs::remove(folder.path / "model.safetensors");
  CHECK(contains(folder.error_with([](Json&) {}), "neither model.safetensors"));
  CHECK_THROWS_WITH_AS(Siglip("/nowhere"), doctest::Contains("/nowhere: no such folder"), ModelError);
  CHECK_THROWS_WITH_AS(Siglip(kReference / "models/paligemma1-tiny"), doctest::Contains("expected siglip"),
                       ModelError);
}
