#pragma once

#include <filesystem>
#include <string>

#include "base/json.h"
#include "model/config/model_config.h"
#include "model/join/part_checkpoint.h"

namespace palisade {

// A SigLIP in its own layout, of which a PaliGemma takes the image tower: both towers (SiglipModel) or that
// one alone (SiglipVisionModel), at a fixed resolution.
class ImageTowerFolder {
 public:
  // Throws Error naming what it is instead, or the tensor that is missing or of another shape.
  explicit ImageTowerFolder(const std::filesystem::path& folder);

  const VisionConfig& config() const { return config_; }
  // Its vision_config, or the config.json of the tower alone.
  const Json& stated() const { return stated_; }
  // preprocessor_config.json, or image_processor of processor_config.json; SigLIP's own where there is none.
  const Json& pictures() const { return pictures_; }
  const PartCheckpoint& weights() const { return weights_; }
  // The name in the file of a tensor of the tower such as "encoder.layers.0...". Released files put
  // "vision_model." before it; version 5 of transformers saves a SiglipVisionModel without that prefix.
  std::string stored_name(const std::string& name) const { return prefix_ + name; }
  // Whether a tensor is one that SigLIP has beside its image tower: text tower, pooling head, scale and bias.
  bool leaves_out(const std::string& stored) const;

 private:
  void find_tower();
  void require_positions() const;

  std::filesystem::path folder_;
  Json stated_;
  VisionConfig config_;
  Json pictures_;
  PartCheckpoint weights_;
  std::string prefix_;
};

}  // namespace palisade
