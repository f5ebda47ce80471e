#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>

#include "model/adapters/adapter_tensors.h"
#include "model/config/model_config.h"
#include "model/gemma/language_model.h"
#include "model/matmul/linear.h"
#include "model/siglip/image_encoder.h"
#include "model/weights/calibration.h"
#include "model/weights/weight_files.h"

namespace palisade {

// A LoRA beside the model that loaded it (PaliGemma::load_adapter), which must outlive it. Low-rank products
// are added to those of the model's own weights; parts of which it brings whole tensors (modules_to_save) are
// there once more. Immutable; any thread.
struct Adapter {
  AdapterIdentity identity;
  EncoderAdapter image_encoder;
  LowRank projection;
  LanguageAdapter language;
  std::optional<ImageEncoder> own_image_encoder;
  std::optional<Linear> own_projection;
  std::unique_ptr<LanguageModel> own_language_model;

  // Images look otherwise to it than to the model alone.
  bool changes_images() const { return image_encoder || projection || own_image_encoder || own_projection; }
  // Of low-rank products: a second adapter takes that much memory, without whole tensors.
  std::size_t bytes() const { return image_encoder.bytes() + projection.bytes() + language.bytes(); }
};

using SharedAdapter = std::shared_ptr<const Adapter>;

// The adapter where images look otherwise to it than to the model alone, else nullptr: features of images are
// shared among requests for which this is the same.
inline const Adapter* image_adapter(const SharedAdapter& adapter) {
  return adapter && adapter->changes_images() ? adapter.get() : nullptr;
}

// What an adapter is loaded beside.
struct AdapterBase {
  const ModelConfig& config;
  const ImageEncoder& image_encoder;
  std::filesystem::path folder;  // empty: of no folder
  const WeightFiles& files;      // as they were opened
  SlidingWindow window;
  Precision precision;
  const Calibration* calibration;  // or nullptr
};

inline const std::string kImageTower = "vision_tower.vision_model.";

// In f32 whatever the rest is: it is a hundredth of the work, and all that Gemma sees of a picture goes
// through it once.
Linear read_projection(const Checkpoint& checkpoint, const ModelConfig& config);

// Throws Error where weights of the folder are needed and have changed since the model was loaded.
SharedAdapter make_adapter(const AdapterBase& base, AdapterTensors tensors);

}  // namespace palisade
