#pragma once

#include <string>
#include <vector>

#include "model/config/model_config.h"
#include "model/matmul/linear.h"
#include "model/siglip/encoder_layers.h"
#include "model/tensor/observer.h"
#include "model/weights/checkpoint.h"

namespace palisade {

// The patch convolution's input as rows: channel, then patch row, then patch column, as its weight is laid
// out. `pixels`: one [3, size * size] a picture. out [pictures * tokens, 3 * patch * patch]
void write_patches(const VisionConfig& config, const std::vector<Matrix>& pixels, MatrixView out);
EncoderShape encoder_shape_of(const VisionConfig& config);

// SigLIP's image tower: patches, learned positions, pre-LayerNorm transformer, final LayerNorm; no class
// token, no pooling (transformers, modeling_siglip.py). Read-only after construction.
class ImageEncoder {
 public:
  // Tensors are `prefix` + "embeddings.patch_embedding.weight", ...
  ImageEncoder(const VisionConfig& config, const Checkpoint& checkpoint, const std::string& prefix,
               Precision precision);

  // `pixels`: one [3, size * size] a picture. Returns [pictures * tokens, width], patches in row-major order.
  Matrix forward(const std::vector<Matrix>& pixels, const Observer& observer) const;

  // The same in three steps, for those who run the layers in slices: embed(), all of layers(), final_norm().
  Matrix embed(const std::vector<Matrix>& pixels, const Observer& observer) const;
  EncoderPass layers(MatrixView x, const Observer& observer, const EncoderAdapter* adapter = nullptr) const;
  void final_norm(MatrixView x, const Observer& observer) const;

  // `prefix` as in the constructor.
  EncoderAdapter adapt(const AdapterTensors& adapter, const std::string& prefix) const {
    return layers_.adapt(adapter, prefix + "encoder.layers.");
  }

 private:
  VisionConfig config_;
  Linear patch_embedding_;
  Matrix positions_;  // [tokens, width]
  EncoderLayers layers_;
  LayerNorm final_norm_;
};

}  // namespace palisade
