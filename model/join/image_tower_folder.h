#pragma once

#include <filesystem>

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
  // Tensors are called vision_model.*
  const PartCheckpoint& weights() const { return weights_; }

 private:
  void require_tower() const;

  std::filesystem::path folder_;
  Json stated_;
  VisionConfig config_;
  Json pictures_;
  PartCheckpoint weights_;
};

}  // namespace palisade
