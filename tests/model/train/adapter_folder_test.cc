#include "model/train/adapter_folder.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "ingest/pictures/picture.h"
#include "model/config/preprocessor.h"
#include "model/paligemma/paligemma.h"
#include "model/train/example.h"
#include "model/train/model_folder.h"
#include "model/train/optimizer.h"
#include "model/train/resolution.h"
#include "model/train/training_pass.h"
#include "tests/ingest/test_files.h"
#include "tests/model/golden.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

// A model after two steps on one example.
Parameters trained(const fs::path& folder, const TrainedTensors& tensors) {
  const ModelConfig config = read_model_config(folder);
  Parameters parameters(config, Checkpoint(folder), tensors);
  TrainingPass pass(parameters);
  Optimizer optimizer(parameters, {.learning_rate = 1e-2});
  const Preprocessor preprocessor = read_preprocessor(folder, config.vision.image_size);
  const Image image = read_picture(kReference / "images/still0.png");
  for (int step = 0; step < 2; ++step) {
    TrainingBatch batch;
    batch.pictures.push_back(preprocessor.pixel_values(preprocessor.to_square(image)));
    const ExampleTokens tokens =
        example_tokens(config, Tokenizer(folder), "caption en", "a red square beside 2 blue circles");
    batch.examples = {{{0}, tokens.prompt, tokens.suffix}};
    pass.accumulate(batch, {.loss = {.vocabulary = config.image_token}});
    optimizer.step({});
  }
  return parameters;
}

Matrix logits_of(const PaliGemma& model, const SharedAdapter& adapter) {
  const Image image = read_picture(kReference / "images/still0.png");
  const auto prompt = model.prompt_ids("caption en");
  return model.score(model.encode({&image, 1}, {}, adapter), prompt, std::vector<TokenId>{5, 9, 12}, {},
                     adapter);
}

double difference(const Matrix& a, const Matrix& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::abs(double(a.data()[i]) - b.data()[i]));
  return largest;
}

TEST_CASE("an adapter is written that stands beside its base as the merged model answers") {
  for (const std::string name : {"paligemma1-tiny", "paligemma2-tiny"}) {
    for (const auto& parts :
         {std::vector{ModelPart::kLanguageModel},
          {ModelPart::kImageEncoder, ModelPart::kProjection, ModelPart::kLanguageModel}}) {
      CAPTURE(name);
      CAPTURE(parts.size());
      const test::TestFolder place;
      Parameters parameters = trained(kModels / name, {.parts = parts, .lora_rank = 3});
      REQUIRE(has_adapter(parameters));
      write_adapter_folder(parameters, kModels / name, place.path() / "adapter", "gate");
      write_model_folder(parameters, kModels / name, place.path() / "model", "gate");
      const PaliGemma base(kModels / name), merged(place.path() / "model");
      const SharedAdapter adapter = base.load_adapter(place.path() / "adapter");
      CHECK(adapter->identity.id == "gate");
      CHECK(adapter->changes_images() == (parts.size() > 1));
      const Matrix expected = logits_of(merged, nullptr);
      CHECK(difference(logits_of(base, adapter), expected) < 5e-4);
      CHECK(difference(logits_of(base, nullptr), expected) > 1e-2);
    }
  }
}

TEST_CASE("there is no adapter of whole weights, of the projection alone, or of another picture size") {
  const fs::path folder = kModels / "paligemma1-tiny";
  const ModelConfig config = read_model_config(folder);
  const std::vector<ModelPart> language = {ModelPart::kLanguageModel};
  const auto has = [&](const TrainedTensors& tensors) {
    return has_adapter(Parameters(config, Checkpoint(folder), tensors));
  };
  CHECK(has({.parts = language, .lora_rank = 2}));
  CHECK(!has({.parts = language}));
  CHECK(!has({.parts = {ModelPart::kProjection}, .lora_rank = 2}));
  const Parameters finer(at_resolution(config, 112), Checkpoint(folder),
                         {.parts = language, .lora_rank = 2, .stored_image_size = config.vision.image_size});
  CHECK(!has_adapter(finer));
}

}  // namespace
}  // namespace palisade
