#include <unistd.h>
#include <cmath>
#include <cstring>

#include <filesystem>
#include <map>
#include <numeric>

#include "base/format.h"
#include "base/json.h"
#include "ingest/pictures/picture.h"
#include "model/config/preprocessor.h"
#include "model/paligemma/paligemma.h"
#include "model/train/example.h"
#include "model/train/model_folder.h"
#include "model/train/optimizer.h"
#include "model/train/resolution.h"
#include "model/train/schedule.h"
#include "model/train/training_pass.h"
#include "tests/model/train/differences.h"
#include "tests/model/train/tiny_model.h"

using namespace palisade;
using reference::rows_of;

namespace fs = std::filesystem;

namespace {

// Checks the gradient of each trained tensor by one difference quotient along the gradient itself.
void check_slopes(Tiny& model, const TrainingBatch& batch) {
  std::ranges::fill(model.parameters.gradient_block(), 0.0f);
  model.pass.accumulate(batch, model.options());
  int checked = 0;
  for (const Parameters::Tensor& tensor : model.parameters.tensors()) {
    const double norm = std::sqrt(
        std::inner_product(tensor.gradient.begin(), tensor.gradient.end(), tensor.gradient.begin(), 0.0));
    if (norm < 1e-2) continue;
    const std::vector<float> kept(tensor.value.begin(), tensor.value.end());
    const auto loss_at = [&](double step) {
      for (std::size_t i = 0; i < kept.size(); ++i)
        tensor.value[i] = float(kept[i] + step * tensor.gradient[i] / norm);
      return weighted_loss(model.pass.evaluate(batch, model.options()), batch);
    };
    const double step = 2e-3 / norm;
    const double slope = (loss_at(step) - loss_at(-step)) / (2 * step);
    std::copy(kept.begin(), kept.end(), tensor.value.begin());
    CAPTURE(tensor.spec.name);
    CHECK(slope == doctest::Approx(norm).epsilon(0.02));
    ++checked;
  }
  CHECK(checked > 20);
}

}  // namespace

TEST_CASE("every tensor of Gemma 2 and its tower has the gradient that differences of the loss give") {
  Tiny model("paligemma2-tiny");
  check_slopes(model, model.batch());
}

TEST_CASE(
    "adapters have the gradients that differences give, and the weights beside them stay as they were") {
  Tiny model("paligemma1-tiny", kAdapters), untouched("paligemma1-tiny");
  const TrainingBatch batch = model.batch();
  const double before = mean_loss(model.pass.evaluate(batch, model.options()));
  CHECK(before == doctest::Approx(mean_loss(untouched.pass.evaluate(batch, model.options()))).epsilon(1e-6));
  Optimizer optimizer(model.parameters, {.learning_rate = 1e-2});
  model.pass.accumulate(batch, model.options());
  optimizer.step({});
  check_slopes(model, batch);
  for (const Parameters::Tensor& tensor : untouched.parameters.tensors()) {
    const Parameters::Tensor& same = model.parameters.tensor(tensor.spec.name);
    CAPTURE(tensor.spec.name);
    CHECK(same.trained == (tensor.spec.part == ModelPart::kProjection));
    if (!same.trained) CHECK(largest_difference(same.value, tensor.value) == 0);
  }
  const double learnt = mean_loss(model.pass.evaluate(batch, model.options()));
  CHECK(learnt != doctest::Approx(before).epsilon(1e-3));
  const Affine& layer = model.parameters.weights().image_tower.blocks[0].attention_out;
  const auto merged = reference::Rows(rows_of(layer.weight) + rows_of(layer.up) * rows_of(layer.down));
  CHECK(reference::largest_difference(merged, rows_of(layer.weight)) > 1e-4);
  model.parameters.merge_adapters();
  CHECK(reference::largest_difference(merged, rows_of(layer.weight)) < 1e-6);
  CHECK(mean_loss(model.pass.evaluate(batch, model.options())) == doctest::Approx(learnt).epsilon(1e-5));
}

TEST_CASE("examples that share their pictures' rows have the gradients that differences give") {
  Tiny model("paligemma1-tiny");
  TrainingBatch batch = model.batch();
  batch.pictures_alone = true;
  batch.examples = {model.example({0}, "caption en", "a red square"),
                    model.example({0}, "answer en how many circles ?", "two"),
                    model.example({1, 0}, "caption en", "blue"),
                    model.example({1, 0}, "answer en how many circles ?", "red red"),
                    model.example({1, 0}, "caption en", "two squares")};
  batch.examples[1].weight = 2;
  check_slopes(model, batch);
}

TEST_CASE("an example says the same whether it shares its pictures' rows or has them to itself") {
  Tiny model("paligemma1-tiny");
  TrainingBatch batch = model.batch();
  batch.pictures_alone = true;
  batch.examples = {model.example({0, 1}, "caption en", "a red square"),
                    model.example({0, 1}, "answer en how many circles ?", "two"),
                    model.example({0, 1}, "caption en", "blue")};
  const auto together = model.pass.evaluate(batch, model.options());
  for (std::size_t i = 0; i < batch.examples.size(); ++i) {
    TrainingBatch one = model.batch();
    one.pictures_alone = true;
    one.examples = {batch.examples[i]};
    CHECK(model.pass.evaluate(one, model.options()).front().loss ==
          doctest::Approx(together[i].loss).epsilon(1e-5));
    one.pictures_alone = false;
    CHECK(model.pass.evaluate(one, model.options()).front().loss !=
          doctest::Approx(together[i].loss).epsilon(1e-5));
  }
}

TEST_CASE("a batch gives the losses and the mean of the gradients of its examples, padded with nothing") {
  Tiny model("paligemma1-tiny");
  const TrainingBatch all = model.batch();
  const auto losses = model.pass.accumulate(all, model.options());
  std::map<std::string, std::vector<float>> together;
  for (const Parameters::Tensor& tensor : model.parameters.tensors()) {
    together[tensor.spec.name].assign(tensor.gradient.begin(), tensor.gradient.end());
    std::ranges::fill(tensor.gradient, 0.0f);
  }
  PassOptions options = model.options();
  options.examples = double(all.examples.size());
  for (std::size_t i = 0; i < all.examples.size(); ++i) {
    TrainingBatch one;
    TrainingExample example = all.examples[i];
    for (int& picture : example.pictures) {
      one.pictures.push_back(copy_of(all.pictures[std::size_t(picture)]));
      picture = int(one.pictures.size()) - 1;
    }
    one.examples.push_back(example);
    CHECK(model.pass.accumulate(one, options).front().loss == doctest::Approx(losses[i].loss).epsilon(1e-5));
  }
  for (const Parameters::Tensor& tensor : model.parameters.tensors()) {
    CAPTURE(tensor.spec.name);
    CHECK(largest_difference(together[tensor.spec.name], tensor.gradient) <=
          1e-4 * largest_of(tensor.gradient) + 1e-5);
  }
}

TEST_CASE("what is frozen gets no gradient and does not move; what is trained gets the same gradient") {
  Tiny whole("paligemma1-tiny");
  const TrainingBatch batch = whole.batch();
  whole.pass.accumulate(batch, whole.options());
  for (const TrainedTensors& trained : {kLanguage, kProjectionAlone}) {
    Tiny part("paligemma1-tiny", trained);
    Optimizer optimizer(part.parameters, {.learning_rate = 0.1, .weight_decay = 0.1});
    part.pass.accumulate(batch, part.options());
    for (const Parameters::Tensor& tensor : part.parameters.tensors()) {
      CAPTURE(tensor.spec.name);
      const Parameters::Tensor& same = whole.parameters.tensor(tensor.spec.name);
      CHECK(tensor.gradient.empty() == !part.parameters.trains(tensor.spec.part));
      if (tensor.trained)
        CHECK(largest_difference(tensor.gradient, same.gradient) <= 1e-4 * largest_of(same.gradient) + 1e-5);
    }
    optimizer.step({});
    for (const Parameters::Tensor& tensor : part.parameters.tensors()) {
      CAPTURE(tensor.spec.name);
      const bool moved =
          largest_difference(tensor.value, whole.parameters.tensor(tensor.spec.name).value) > 0;
      CHECK(moved == tensor.trained);
    }
  }
}

TEST_CASE("a gradient that is not finite changes nothing") {
  Tiny model("paligemma1-tiny", kProjectionAlone);
  Optimizer optimizer(model.parameters, {});
  const Parameters::Tensor& weight = model.parameters.tensor("multi_modal_projector.linear.weight");
  const std::vector<float> before(weight.value.begin(), weight.value.end());
  weight.gradient[3] = NAN;
  CHECK(std::isnan(optimizer.step({})));
  CHECK(optimizer.steps() == 0);
  CHECK(largest_difference(before, weight.value) == 0);
  CHECK(largest_of(optimizer.first_moments()) == 0);
}

TEST_CASE("the image encoder may warm up more slowly than the rest") {
  Tiny slow("paligemma1-tiny"), even("paligemma1-tiny");
  const TrainingBatch batch = slow.batch();
  const Schedule rest{100, 5}, image{100, 50};
  for (Tiny* model : {&slow, &even}) {
    Optimizer optimizer(model->parameters, {.learning_rate = 1e-3});
    model->pass.accumulate(batch, model->options());
    optimizer.step({model == &slow ? image.factor(5) : rest.factor(5), rest.factor(5)});
  }
  Tiny start("paligemma1-tiny");
  for (const auto& [name, ratio] :
       {std::pair{"vision_tower.vision_model.encoder.layers.0.mlp.fc1.weight", 0.1},
        {"language_model.model.layers.0.mlp.up_proj.weight", 1.0}}) {
    const auto& before = start.parameters.tensor(name).value;
    const double slow_step = largest_difference(before, slow.parameters.tensor(name).value);
    const double even_step = largest_difference(before, even.parameters.tensor(name).value);
    CHECK(slow_step == doctest::Approx(ratio * even_step).epsilon(0.01));
  }
}

TEST_CASE("the schedule begins at nothing, reaches one after the warm-up and ends at nothing") {
  const Schedule schedule{1000, warmup_steps_of(0.05, 1000)};
  CHECK(schedule.warmup_steps == 50);
  CHECK(schedule.factor(0) == 0);
  CHECK(schedule.factor(25) == doctest::Approx(0.5));
  CHECK(schedule.factor(50) == doctest::Approx(1));
  CHECK(schedule.factor(525) == doctest::Approx(0.5));
  CHECK(schedule.factor(1000) == doctest::Approx(0));
  CHECK(warmup_steps_of(0.05, 3) == 1);
}

TEST_CASE("positions are resampled linearly along both axes, and the same grid keeps every bit") {
  std::mt19937 random(2);
  const Matrix positions = random_matrix(16, 5, random);  // 4 x 4
  const Matrix same = resampled_positions(positions, 4);
  CHECK(largest_difference({positions.data(), positions.size()}, {same.data(), same.size()}) == 0);
  // Interpolation along both axes, with weights by distance.
  for (const int grid : {1, 2, 3, 5, 7, 9}) {
    CAPTURE(grid);
    reference::Rows near(grid, 4), expected(grid * grid, 5);
    for (int i = 0; i < grid; ++i) {
      const double at = grid > 1 ? 3.0 * i / (grid - 1) : 0;
      for (int k = 0; k < 4; ++k) near(i, k) = std::max(0.0, 1 - std::abs(at - k));
    }
    const reference::Rows all = rows_of(positions);
    for (int y = 0; y < grid; ++y) {
      reference::Rows line = reference::Rows::Zero(4, 5);
      for (int k = 0; k < 4; ++k) line += near(y, k) * all.middleRows(4 * k, 4);
      expected.middleRows(y * grid, grid) = near * line;
    }
    CHECK(reference::largest_difference(rows_of(resampled_positions(positions, grid)), expected) < 1e-6);
  }
}

TEST_CASE("a written folder is loaded by inference and answers with the logits of training") {
  const fs::path folder = fs::temp_directory_path() / format("palisade_written_{}", ::getpid());
  fs::remove_all(folder);
  Tiny model("paligemma1-tiny");
  TrainingBatch batch;
  batch.pictures.push_back(model.picture("still0.png"));
  batch.examples = {model.example({0}, "caption en", "a red square beside 2 blue circles")};
  Optimizer optimizer(model.parameters, {.learning_rate = 1e-3});
  model.pass.accumulate(batch, model.options());
  optimizer.step({});
  write_model_folder(model.parameters, model.folder, folder, "written");
  const auto losses = model.pass.evaluate(batch, model.options());
  const PaliGemma written(folder);
  const Image image = read_picture(kGolden / "images" / "still0.png");
  const auto& example = batch.examples.front();
  const Matrix logits = written.score(written.encode({&image, 1}), example.prompt,
                                      std::span(example.suffix).first(example.suffix.size() - 1));
  // Training: the last prompt row predicts the first suffix token; score() gives the suffix rows.
  const ConstMatrixView states = model.pass.target_states();
  const Matrix expected = written.logits(states.row_range(1, states.rows - 1));
  CHECK(largest_difference({expected.data(), expected.size()}, {logits.data(), logits.size()}) < 5e-4);
  CHECK(std::isfinite(mean_loss(losses)));
  fs::remove_all(folder);
}

TEST_CASE("a folder may be written in bf16, each weight the nearest there is") {
  const fs::path folder = fs::temp_directory_path() / format("palisade_halves_{}", ::getpid());
  fs::remove_all(folder);
  Tiny model("paligemma1-tiny");
  write_model_folder(model.parameters, model.folder, folder, "halves", DataType::kBf16);
  CHECK(read_json(folder / "config.json").at("torch_dtype") == "bfloat16");
  const Parameters read(read_model_config(folder), Checkpoint(folder), kAll);
  for (const Parameters::Tensor& tensor : model.parameters.tensors()) {
    const auto& rounded = read.tensor(tensor.spec.name).value;
    CAPTURE(tensor.spec.name);
    CHECK(largest_difference(tensor.value, rounded) <= largest_of(tensor.value) / 256);
    CHECK(largest_difference(tensor.value, rounded) > 0);
  }
  fs::remove_all(folder);
}

TEST_CASE("a higher resolution trains on resampled positions and is written with its own size") {
  const fs::path source = kGolden / "models" / "paligemma1-tiny";
  const fs::path folder = fs::temp_directory_path() / format("palisade_finer_{}", ::getpid());
  fs::remove_all(folder);
  const ModelConfig stored = read_model_config(source), finer = at_resolution(stored, 112);
  TrainedTensors trained = kAll;
  trained.stored_image_size = stored.vision.image_size;
  Parameters parameters(finer, Checkpoint(source), trained);
  write_model_folder(parameters, source, folder, "finer");
  const PaliGemma written(folder);
  CHECK(written.identity().id == "finer");
  CHECK(written.image_size() == 112);
  CHECK(written.config().image_tokens() == 64);
  const Image image = read_picture(kGolden / "images" / "still0.png");
  CHECK(written.encode({&image, 1}).front()->rows() == 64);
  CHECK_THROWS(at_resolution(stored, 100));
  fs::remove_all(folder);
}
