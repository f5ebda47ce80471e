#pragma once

#include <vector>

#include "model/checkpoint.h"
#include "model/linear.h"
#include "model/model_config.h"
#include "model/observer.h"

namespace palisade {

// SigLIP's image tower: patches, learned positions, pre-LayerNorm transformer, final LayerNorm; no class
// token, no pooling (transformers, modeling_siglip.py). Read-only after construction.
class ImageEncoder {
 public:
  ImageEncoder(const VisionConfig& config, const Checkpoint& checkpoint);

  // `pixels`: one [3, size * size] a picture. Returns [pictures * tokens, width], patches in row-major order.
  Matrix forward(const std::vector<Matrix>& pixels, const Observer& observer) const;

 private:
  struct Norm {
    Matrix scale;
    Matrix shift;
    void operator()(ConstMatrixView x, float eps, MatrixView out) const;
  };
  struct Layer {
    Norm attention_norm;
    Linear qkv;  // q, k, v one below the other
    Linear attention_out;
    Norm mlp_norm;
    Linear mlp_in;
    Linear mlp_out;
  };
  static Norm read_norm(const Checkpoint& checkpoint, const std::string& name, int width);
  Layer read_layer(const Checkpoint& checkpoint, int index) const;
  Matrix patches(const std::vector<Matrix>& pixels) const;
  void attention(const Layer& layer, ConstMatrixView normed, MatrixView mixed) const;

  VisionConfig config_;
  Linear patch_embedding_;
  Matrix positions_;  // [tokens, width]
  std::vector<Layer> layers_;
  Norm final_norm_;
};

}  // namespace palisade
