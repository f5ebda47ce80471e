#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ingest/pictures/picture.h"
#include "model/config/preprocessor.h"
#include "model/train/example.h"
#include "model/train/training_pass.h"
#include "model/weights/checkpoint.h"

namespace palisade {

inline const std::filesystem::path kGolden =
    std::filesystem::path(PALISADE_SOURCE_DIR) / "tests" / "golden" / "reference";
inline const TrainedTensors kAll{
    .parts = {ModelPart::kImageEncoder, ModelPart::kProjection, ModelPart::kLanguageModel}};
inline const TrainedTensors kLanguage{.parts = {ModelPart::kProjection, ModelPart::kLanguageModel}};
inline const TrainedTensors kProjectionAlone{.parts = {ModelPart::kProjection}};
inline const TrainedTensors kAdapters{
    .parts = {ModelPart::kImageEncoder, ModelPart::kProjection, ModelPart::kLanguageModel}, .lora_rank = 3};

// A model of the reference, its parameters and a batch.
struct Tiny {
  std::filesystem::path folder;
  ModelConfig config;
  Parameters parameters;
  TrainingPass pass;

  explicit Tiny(const std::string& name, const TrainedTensors& trained = kAll)
      : folder(kGolden / "models" / name),
        config(read_model_config(folder)),
        parameters(config, Checkpoint(folder), trained),
        pass(parameters) {}

  Matrix picture(const std::string& name) const {
    const Preprocessor preprocessor = read_preprocessor(folder, config.vision.image_size);
    return preprocessor.pixel_values(preprocessor.to_square(read_picture(kGolden / "images" / name)));
  }
  TrainingExample example(std::vector<int> pictures, const std::string& prefix,
                          const std::string& suffix) const {
    const ExampleTokens tokens = example_tokens(config, Tokenizer(folder), prefix, suffix);
    return {std::move(pictures), tokens.prompt, tokens.suffix};
  }
  TrainingBatch batch() const {
    TrainingBatch batch;
    batch.pictures.push_back(picture("still0.png"));
    batch.pictures.push_back(picture("still1.png"));
    batch.examples = {example({0}, "caption en", "a red square"),
                      example({1, 0}, "answer en how many circles ?", "two"),
                      example({1}, "caption en", "blue")};
    return batch;
  }
  PassOptions options() const {
    return {.loss = {.label_smoothing = 0.1f, .vocabulary = config.image_token}};
  }
};

inline double mean_loss(const std::vector<ExampleLoss>& losses) {
  double sum = 0;
  for (const ExampleLoss& loss : losses) sum += loss.loss;
  return sum / double(losses.size());
}

inline double weighted_loss(const std::vector<ExampleLoss>& losses, const TrainingBatch& batch) {
  double sum = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) sum += batch.examples[i].weight * losses[i].loss;
  return sum / double(losses.size());
}

inline double largest_difference(std::span<const float> a, std::span<const float> b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(double(a[i]) - b[i]));
  return largest;
}

inline double largest_of(std::span<const float> a) {
  double largest = 0;
  for (const float value : a) largest = std::max(largest, std::abs(double(value)));
  return largest;
}

}  // namespace palisade
