#pragma once

#include <span>
#include <string>

#include "model/config/siglip_config.h"
#include "model/siglip/encoder_layers.h"
#include "model/token_id.h"

namespace palisade {

// SigLIP's text tower: tokens and learned positions, the shared encoder without any mask (padding is seen
// too), final LayerNorm, the last position through a linear head. Read-only after construction.
class TextEncoder {
 public:
  // Tensors are `prefix` + "embeddings.token_embedding.weight", ...
  TextEncoder(const SiglipTextConfig& config, const Checkpoint& checkpoint, const std::string& prefix);

  // `ids`: texts of config.positions tokens each, one after the other. Returns [texts, projection].
  Matrix forward(std::span<const TokenId> ids, const Observer& observer) const;

 private:
  SiglipTextConfig config_;
  Matrix tokens_;     // [vocabulary, width]
  Matrix positions_;  // [positions, width]
  EncoderLayers layers_;
  LayerNorm final_norm_;
  Linear head_;
};

}  // namespace palisade
