// Training of an untied head: it has its own gradient, and a written model contains it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "model/config/preprocessor.h"
#include "model/train/example.h"
#include "model/train/model_folder.h"
#include "model/train/optimizer.h"
#include "model/train/training_pass.h"
#include "model/weights/checkpoint.h"
#include "model/weights/tensor_names.h"
#include "tests/model/folder_copy.h"

using namespace palisade;

namespace {

const TrainedTensors kLanguageAlone{.parts = {ModelPart::kLanguageModel}};

// A golden model whose head is the embedding with its rows in reverse order.
struct WithOwnHead : FolderCopy {
  explicit WithOwnHead(const char* name) : FolderCopy(kModels / name) {
    change_tensors([](Tensors& tensors) {
      const Tensor& embedding = tensors.at(kEmbeddingTensor);
      Tensor head = embedding;
      std::ranges::reverse(head.values);
      tensors["lm_head.weight"] = head;
    });
  }
};

TrainingBatch batch_of(const std::filesystem::path& folder) {
  const ModelConfig config = read_model_config(folder);
  const Preprocessor preprocessor = read_preprocessor(folder, config.vision.image_size);
  const Image image = read_picture(kReference / "images/still1.png");
  const ExampleTokens tokens = example_tokens(config, Tokenizer(folder), "caption en", "a red square");
  TrainingBatch batch;
  batch.pictures.push_back(preprocessor.pixel_values(preprocessor.to_square(image)));
  batch.examples = {{{0}, tokens.prompt, tokens.suffix}};
  return batch;
}

}  // namespace

TEST_CASE(
    "a head of its own and the embedding beside it have the gradients that differences of the loss give") {
  for (const char* name : {"paligemma1-tiny", "paligemma2-tiny"}) {
    const WithOwnHead folder(name);
    const ModelConfig config = read_model_config(folder.path);
    Parameters parameters(config, Checkpoint(folder.path), kLanguageAlone);
    REQUIRE(parameters.config().text.own_head);
    TrainingPass pass(parameters);
    const TrainingBatch batch = batch_of(folder.path);
    const PassOptions options{.loss = {.label_smoothing = 0.1f, .vocabulary = config.image_token}};
    pass.accumulate(batch, options);
    for (const std::string& tensor_name : {kHeadTensor, kEmbeddingTensor}) {
      const Parameters::Tensor& tensor = parameters.tensor(tensor_name);
      const double norm = std::sqrt(
          std::inner_product(tensor.gradient.begin(), tensor.gradient.end(), tensor.gradient.begin(), 0.0));
      REQUIRE(norm > 1e-2);
      const std::vector<float> kept(tensor.value.begin(), tensor.value.end());
      const auto loss_at = [&](double step) {
        for (std::size_t i = 0; i < kept.size(); ++i)
          tensor.value[i] = float(kept[i] + step * tensor.gradient[i] / norm);
        return pass.evaluate(batch, options).front().loss;
      };
      const double step = 2e-3 / norm;
      CAPTURE(tensor_name);
      CHECK((loss_at(step) - loss_at(-step)) / (2 * step) == doctest::Approx(norm).epsilon(0.02));
      std::ranges::copy(kept, tensor.value.begin());
    }
  }
}

TEST_CASE("a model with a head of its own is written with it, and answers as it did") {
  for (const char* name : {"paligemma1-tiny", "paligemma2-tiny"}) {
    const WithOwnHead folder(name);
    Parameters parameters(read_model_config(folder.path), Checkpoint(folder.path), kLanguageAlone);
    const std::filesystem::path written = folder.owner.path() / "written";
    write_model_folder(parameters, folder.path, written, "written");
    CHECK(read_json(written / "config.json").at("tie_word_embeddings") == false);
    CHECK(PaliGemma(written).config().text.own_head);
    CHECK(FolderCopy(written).answer() == folder.answer());
  }
}

TEST_CASE(
    "a written model says what it is: no head where it is tied, and its picture size in "
    "processor_config.json") {
  const FolderCopy folder(kModels / "paligemma1-tiny");
  folder.change_tensors([](auto& tensors) { tensors["lm_head.weight"] = tensors.at(kEmbeddingTensor); });
  folder.change_json("config.json", [](Json& json) { json["tie_word_embeddings"] = false; });
  const Json pictures = read_json(folder.path / "preprocessor_config.json");
  folder.change_json("processor_config.json", [&](Json& json) { json["image_processor"] = pictures; });
  ModelConfig finer = read_model_config(folder.path);
  finer.vision.image_size = 112;
  TrainedTensors trained = kLanguageAlone;
  trained.stored_image_size = 56;
  Parameters parameters(finer, Checkpoint(folder.path), trained);
  const std::filesystem::path written = folder.owner.path() / "written";
  write_model_folder(parameters, folder.path, written, "written");
  CHECK(read_json(written / "config.json").at("tie_word_embeddings") == true);
  const PaliGemma model(written);
  CHECK_FALSE(model.config().text.own_head);
  CHECK(model.image_size() == 112);
  CHECK_FALSE(Checkpoint(written).stores_head());
}
