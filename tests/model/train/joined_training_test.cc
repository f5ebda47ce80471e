// A joined model is transformers' on the same weights: logits, gradients and ten steps of training.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/json.h"
#include "ingest/pictures/picture.h"
#include "model/config/preprocessor.h"
#include "model/paligemma/paligemma.h"
#include "model/train/example.h"
#include "model/train/kernels.h"
#include "model/train/optimizer.h"
#include "model/train/schedule.h"
#include "model/train/training_pass.h"
#include "model/weights/safetensors.h"
#include "tests/model/golden.h"

using namespace palisade;

namespace {

namespace fs = std::filesystem;

const fs::path kJoinedData = fs::path(PALISADE_SOURCE_DIR) / "tests/golden/join";
constexpr const char* kJoinedPairs[] = {"p14-gemma", "p16-gemma2", "odd-padded"};
const std::string kProjection = "multi_modal_projector.linear";
// Of the data's README. Adam divides by sqrt(v), so losses of later steps drift.
constexpr double kTower = 1e-4, kLogits = 5e-4, kLoss = 1e-4, kGradientPart = 1e-4, kAfterStep = 5e-3,
                 kEarlyLoss = 1e-3, kLateLossPart = 0.05;
constexpr int kEarlySteps = 5;

struct GoldenPair {
  fs::path folder;
  Json values;
  SafetensorsFile tensors;

  explicit GoldenPair(const std::string& pair)
      : folder(kJoinedData / "joined" / pair),
        values(read_json(kJoinedData / ("expected_" + pair + ".json"))),
        tensors(kJoinedData / ("expected_" + pair + ".safetensors")) {}
  Image image(std::size_t index) const {
    return read_picture(kReference / values["images"][index].get<std::string>());
  }
};

double furthest(std::span<const float> expected, std::span<const float> actual) {
  REQUIRE(expected.size() == actual.size());
  double most = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(double(expected[i]) - actual[i]);
    if (!(difference <= most)) most = difference;
  }
  return most;
}

std::span<const float> all_of(const Matrix& matrix) {
  return {matrix.data(), matrix.size()};
}

// The logits of the last `count` positions of a prompt about a picture.
Matrix last_logits(const PaliGemma& model, const Image& image, const std::string& prompt, int count) {
  Matrix logits;
  const auto observe = [&](std::string_view name, ConstMatrixView rows) {
    if (name == "lm.final_norm") logits = model.logits(rows.row_range(rows.rows - count, count));
  };
  model.prefill(model.encode({&image, 1}), model.prompt_ids(prompt), 1, observe);
  return logits;
}

class JoinedTrainee {
 public:
  explicit JoinedTrainee(const GoldenPair& golden)
      : config_(read_model_config(golden.folder)),
        parameters_(config_, Checkpoint(golden.folder),
                    {.parts = {ModelPart::kImageEncoder, ModelPart::kProjection, ModelPart::kLanguageModel}}),
        pass_(parameters_) {
    const Tokenizer tokenizer(golden.folder);
    const Preprocessor preprocessor = read_preprocessor(golden.folder, config_.vision.image_size);
    for (const Json& json : golden.values["examples"]) {
      const ExampleTokens tokens = example_tokens(config_, tokenizer, json["prefix"].get<std::string>(),
                                                  json["suffix"].get<std::string>());
      std::vector<TokenId> ids(std::size_t(config_.image_tokens()), config_.image_token);
      ids.insert(ids.end(), tokens.prompt.begin(), tokens.prompt.end());
      ids.insert(ids.end(), tokens.suffix.begin(), tokens.suffix.end());
      CHECK(ids == json["input_ids"].get<std::vector<TokenId>>());
      const Image image = read_picture(kReference / json["image"].get<std::string>());
      batch_.examples.push_back({{int(batch_.pictures.size())}, tokens.prompt, tokens.suffix});
      batch_.pictures.push_back(preprocessor.pixel_values(preprocessor.to_square(image)));
    }
  }

  std::vector<ExampleLoss> accumulate(int vocabulary) {
    return pass_.accumulate(batch_, {.loss = {.label_smoothing = 0, .vocabulary = vocabulary}});
  }
  std::vector<ExampleLoss> evaluate() {
    return pass_.evaluate(batch_, {.loss = {.label_smoothing = 0, .vocabulary = config_.text.vocabulary}});
  }
  double tower_norm() const {
    double squares = 0;
    for (const Parameters::Tensor& tensor : parameters_.tensors()) {
      if (tensor.spec.part == ModelPart::kImageEncoder) squares += sum_of_squares(tensor.gradient);
    }
    return std::sqrt(squares);
  }
  int rows() const { return config_.text.vocabulary; }
  Parameters& parameters() { return parameters_; }

 private:
  ModelConfig config_;
  Parameters parameters_;
  TrainingPass pass_;
  TrainingBatch batch_;
};

double mean_of(const std::vector<ExampleLoss>& losses) {
  double sum = 0;
  for (const ExampleLoss& loss : losses) sum += loss.loss;
  return sum / double(losses.size());
}

void check_gradients(const GoldenPair& golden, JoinedTrainee& trainee, const std::string& rows,
                     int vocabulary) {
  CAPTURE(rows);
  std::ranges::fill(trainee.parameters().gradient_block(), 0.0f);
  const auto losses = trainee.accumulate(vocabulary);
  const Json& expected = golden.values["loss_" + rows];
  CHECK(std::abs(mean_of(losses) - expected["loss"].get<double>()) < kLoss);
  for (std::size_t i = 0; i < losses.size(); ++i)
    CHECK(std::abs(losses[i].loss - expected["per_example"][i].get<double>()) < 2 * kLoss);
  for (const char* const part : {".weight", ".bias"}) {
    const std::vector<float> gradient =
        golden.tensors.at("grad." + rows + "." + kProjection + part).to_floats();
    double largest = 0;
    for (const float value : gradient) largest = std::max(largest, std::abs(double(value)));
    CHECK(furthest(gradient, trainee.parameters().tensor(kProjection + part).gradient) <
          kGradientPart * largest);
  }
  CHECK(trainee.tower_norm() == 0);
}

}  // namespace

TEST_CASE("a joined model has transformers' logits, the same for every picture") {
  for (const char* const pair : kJoinedPairs) {
    CAPTURE(pair);
    const GoldenPair golden(pair);
    const PaliGemma model(golden.folder);
    const std::vector<float> expected = golden.tensors.at("logits").to_floats();
    for (std::size_t index = 0; index < 2; ++index) {
      CAPTURE(index);
      const auto keep = [&](std::string_view name, ConstMatrixView rows) {
        if (name != "vision.post_layernorm") return;
        CHECK(furthest(golden.tensors.at("vision." + std::to_string(index)).to_floats(),
                       {rows.data, std::size_t(rows.rows) * std::size_t(rows.cols)}) < kTower);
      };
      const Image seen = golden.image(index);
      model.encode({&seen, 1}, keep);
      const std::string prompt = golden.values["prompts"][index].get<std::string>();
      const Matrix first = last_logits(model, golden.image(0), prompt, 3),
                   second = last_logits(model, golden.image(1), prompt, 3);
      CHECK(std::ranges::equal(all_of(first), all_of(second)));
      CHECK(furthest(std::span(expected).subspan(index * first.size(), first.size()), all_of(first)) <
            kLogits);
    }
  }
}

TEST_CASE("a joined model has transformers' losses and gradients, and none in the tower") {
  for (const char* const pair : kJoinedPairs) {
    CAPTURE(pair);
    const GoldenPair golden(pair);
    JoinedTrainee trainee(golden);
    check_gradients(golden, trainee, "base_rows", golden.values["base_pieces"].get<int>());
    check_gradients(golden, trainee, "all_rows", trainee.rows());
    // One plain step of the projection, and pictures matter.
    const auto rate = golden.values["one_step"]["lr"].get<double>();
    for (const char* const part : {".weight", ".bias"}) {
      const Parameters::Tensor& tensor = trainee.parameters().tensor(kProjection + part);
      for (std::size_t i = 0; i < tensor.value.size(); ++i)
        tensor.value[i] = float(tensor.value[i] - rate * tensor.gradient[i]);
    }
    CHECK(std::abs(mean_of(trainee.evaluate()) - golden.values["one_step"]["loss_after"].get<double>()) <
          kAfterStep);
  }
}

TEST_CASE("ten steps of a joined model, all of it trained, lose what transformers loses") {
  for (const char* const pair : kJoinedPairs) {
    CAPTURE(pair);
    const GoldenPair golden(pair);
    JoinedTrainee trainee(golden);
    const Json& expected = golden.values["ten_steps"];
    Optimizer optimizer(trainee.parameters(), {.learning_rate = expected["lr"].get<double>(),
                                               .weight_decay = expected["wd"].get<double>(),
                                               .clip_norm = expected["grad_clip_norm"].get<double>()});
    const Schedule schedule{expected["total_steps"].get<int>(), expected["warmup_steps"].get<int>()};
    double first = 0, last = 0;
    for (const Json& step : expected["steps"]) {
      const int number = step["step"].get<int>();
      CAPTURE(number);
      const auto golden_loss = step["loss"].get<double>();
      last = mean_of(trainee.accumulate(trainee.rows()));
      if (number == 0) first = last;
      CHECK(std::abs(last - golden_loss) < (number < kEarlySteps ? kEarlyLoss : kLateLossPart * golden_loss));
      if (number < 2) CHECK(trainee.tower_norm() == 0);
      const double factor = schedule.factor(number);
      CHECK(factor == doctest::Approx(step["schedule"].get<double>()));
      const double norm = optimizer.step({factor, factor});
      if (number < 3) CHECK(norm == doctest::Approx(step["grad_l2"].get<double>()).epsilon(2e-3));
    }
    CHECK(last < first / 2);
  }
}
