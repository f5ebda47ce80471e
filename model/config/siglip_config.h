#pragma once

#include <cstdint>
#include <filesystem>

#include "model/config/model_config.h"

namespace palisade {

// SigLIP's text tower (text_config).
struct SiglipTextConfig {
  int width = 768;
  int mlp_width = 3072;
  int layers = 12;
  int heads = 12;
  int vocabulary = 32000;
  int positions = 64;    // max_position_embeddings: every text is padded to it
  int projection = 768;  // projection_size
  float layer_norm_eps = 1e-6f;
};

// What the config.json of a SigLIP folder says, with transformers' defaults for what it leaves out.
struct SiglipConfig {
  VisionConfig vision;
  SiglipTextConfig text;

  std::uint64_t parameter_count() const;
};

// True where the config.json of this folder (or this file itself) names SigLIP as a whole.
bool is_siglip(const std::filesystem::path& folder_or_file);
// Throws Error naming the file, the key and what is expected.
SiglipConfig read_siglip_config(const std::filesystem::path& folder_or_file);

}  // namespace palisade
