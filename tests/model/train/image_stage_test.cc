#include "model/train/image_stage.h"

#include <cmath>
#include <numeric>

#include "model/train/initial_weights.h"
#include "model/train/optimizer.h"
#include "model/train/sigmoid_loss.h"
#include "tests/model/train/differences.h"

using namespace palisade;

namespace {

ModelConfig small_config() {
  const std::filesystem::path folder =
      std::filesystem::path(PALISADE_SOURCE_DIR) / "tests" / "golden" / "reference" / "models";
  return read_model_config(folder / "paligemma1-tiny");
}

const std::vector<PatchLabel> kLabels = {{5, 1.0}, {3, 0.5}, {2, 0.2}};

struct Stage {
  ModelConfig config = small_config();
  Parameters parameters;
  ImageStage stage;

  Stage()
      : parameters(config, InitialWeights(), {.parts = {ModelPart::kImageEncoder}, .patch_classes = 10}),
        stage(parameters, kLabels) {
    // At the start of a training SigLIP's loss hardly has a slope.
    const auto& scale = parameters.tensor("image_stage.scale_and_bias");
    scale.value[0] = 0.5f;
    scale.value[1] = -0.3f;
  }

  ImageStageBatch batch() const {
    std::mt19937 random(11);
    ImageStageBatch batch;
    const int size = config.vision.image_size;
    for (int i = 0; i < 4; ++i) batch.pictures.push_back(random_matrix(3, size * size, random, 0.5f));
    for (int i = 0; i < 4 * config.vision.tokens(); ++i) {
      for (const PatchLabel& label : kLabels)
        batch.labels.push_back(int(random() % std::uint32_t(label.classes + 1)) - 1);
    }
    batch.captions = {{5, 6, 7}, {8}, {5, 6, 7}};
    return batch;
  }
};

}  // namespace

TEST_CASE("every tensor of stage 0 has the gradient that differences of the loss give") {
  Stage model;
  const ImageStageBatch batch = model.batch();
  const double weight = 0.7;
  const auto loss = [&] {
    const ImageStageLoss now = model.stage.evaluate(batch, weight);
    return now.labels + weight * now.sigmoid;
  };
  model.stage.accumulate(batch, weight);
  int checked = 0;
  for (const Parameters::Tensor& tensor : model.parameters.tensors()) {
    const double norm = std::sqrt(
        std::inner_product(tensor.gradient.begin(), tensor.gradient.end(), tensor.gradient.begin(), 0.0));
    if (norm < 3e-3) continue;
    const std::vector<float> kept(tensor.value.begin(), tensor.value.end());
    const auto loss_at = [&](double step) {
      for (std::size_t i = 0; i < kept.size(); ++i)
        tensor.value[i] = float(kept[i] + step * tensor.gradient[i] / norm);
      return loss();
    };
    const double step = 2e-3 / norm;
    const double slope = (loss_at(step) - loss_at(-step)) / (2 * step);
    std::copy(kept.begin(), kept.end(), tensor.value.begin());
    CAPTURE(tensor.spec.name);
    CHECK(slope == doctest::Approx(norm).epsilon(0.03));
    ++checked;
  }
  CHECK(checked > 30);
}

TEST_CASE("stage 0 learns the labels and the captions of a few pictures by heart") {
  Stage model;
  const ImageStageBatch batch = model.batch();
  Optimizer optimizer(model.parameters, {.learning_rate = 2e-3, .b2 = 0.98});
  const ImageStageLoss before = model.stage.evaluate(batch, 1);
  for (int step = 0; step < 150; ++step) {
    model.stage.accumulate(batch, 1);
    optimizer.step({});
  }
  const ImageStageLoss after = model.stage.evaluate(batch, 1);
  CHECK(after.labels < 0.2 * before.labels);
  CHECK(after.sigmoid < 0.2 * before.sigmoid);
  for (const double right : after.right) CHECK(right > 0.9);
}

TEST_CASE("SigLIP's loss is its definition") {
  Matrix pictures(2, 2), texts(2, 2), scale_and_bias(1, 2), dpictures(2, 2), dtexts(2, 2), dscale(1, 2);
  const float values[] = {1, 0, 0, 1}, others[] = {0.6f, 0.8f, 0.8f, 0.6f};
  std::copy(values, values + 4, pictures.data());
  std::copy(others, others + 4, texts.data());
  scale_and_bias.row(0)[0] = std::log(3.0f);
  scale_and_bias.row(0)[1] = -1;
  const bool alike[] = {true, false, false, true};
  const double loss = sigmoid_loss(pictures, texts, scale_and_bias, alike, {dpictures, dtexts, dscale});
  const auto term = [](double sign, double cosine) { return std::log1p(std::exp(-sign * (3 * cosine - 1))); };
  CHECK(loss == doctest::Approx((term(1, 0.6) + term(-1, 0.8) + term(-1, 0.8) + term(1, 0.6)) / 2));
}
