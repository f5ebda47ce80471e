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
    // At the start of training the gradient of SigLIP's loss is nearly 0.
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

TEST_CASE("SigLIP's loss is its definition and has the gradients that differences of an f64 reference give") {
  constexpr int kCount = 5, kWidth = 7;
  std::mt19937 random(3);
  Matrix pictures = random_matrix(kCount, kWidth, random), texts = random_matrix(kCount, kWidth, random);
  Matrix scale_and_bias = random_matrix(1, 2, random), dscale = zeros(1, 2);
  Matrix dpictures(kCount, kWidth), dtexts(kCount, kWidth);
  bool alike[kCount * kCount] = {};
  for (int i = 0; i < kCount; ++i) alike[i * kCount + i] = alike[i * kCount + (i + 2) % kCount] = i != 1;
  const auto expected = [&] {
    const reference::Rows s = reference::rows_of(scale_and_bias);
    const reference::Rows logits =
        std::exp(s(0)) * reference::rows_of(pictures) * reference::rows_of(texts).transpose();
    const auto sign = 2 * array_of(alike, kCount, kCount, kCount).cast<double>() - 1;
    return (1 + (-sign * (logits.array() + s(1))).exp()).log().sum() / kCount;
  };
  CHECK(sigmoid_loss(pictures, texts, scale_and_bias, alike, {dpictures, dtexts, dscale}) ==
        doctest::Approx(expected()).epsilon(1e-6));
  check_gradient("pictures", pictures, dpictures, expected);
  check_gradient("texts", texts, dtexts, expected);
  check_gradient("scale and bias", scale_and_bias, dscale, expected);
}

TEST_CASE("rows of length 1 have the gradients that differences of an f64 reference give") {
  std::mt19937 random(4);
  Matrix x = random_matrix(5, 7, random), unit = copy_of(x);
  const Matrix weights = random_matrix(5, 7, random);
  const auto expected = [&] { return reference::rows_of(x).rowwise().normalized().eval(); };
  std::vector<float> lengths(5);
  normalise_rows(unit, lengths);
  CHECK(reference::largest_difference(reference::rows_of(unit), expected()) < 1e-6);
  Matrix dx = copy_of(weights);
  normalise_rows_backward(unit, lengths, dx);
  check_gradient("x", x, dx, [&] { return weighted(expected(), weights); });
}
