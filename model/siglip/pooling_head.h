#pragma once

#include <string>

#include "model/siglip/encoder_layers.h"
#include "model/weights/checkpoint.h"

namespace palisade {

// SigLIP's attention pooling: a learned probe asks all patches of an image, then one residual MLP
// (transformers, modeling_siglip.py: SiglipMultiheadAttentionPoolingHead). Read-only after construction.
class PoolingHead {
 public:
  // Tensors are `prefix` + "probe", "attention.in_proj_weight", ...
  PoolingHead(const EncoderShape& shape, const Checkpoint& checkpoint, const std::string& prefix);

  // `x` [images * tokens, width]. Returns [images, width].
  Matrix forward(ConstMatrixView x, int tokens) const;

 private:
  EncoderShape shape_;
  Matrix query_;  // [1, width]: the probe through its projection, the same for every image
  Linear keys_values_;
  Linear attention_out_;
  LayerNorm norm_;
  EncoderMlp mlp_;
};

}  // namespace palisade
