#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "model/config/model_config.h"
#include "model/tensor/matrix.h"

namespace palisade {

enum class ModelPart { kImageEncoder, kProjection, kLanguageModel };

// One stored tensor, named as in the released files.
struct TensorSpec {
  std::string name;
  std::vector<std::int64_t> shape;
  ModelPart part = ModelPart::kLanguageModel;
  bool decayed = false;  // by weight decay: big_vision's ".*/kernel$", so nothing of Gemma
  bool added = false;    // beside the model: an adapter or a head, no part of what is stored

  std::size_t size() const;
};

// Where tensors that stand one below the other begin in memory; null where they are not held.
using TensorSource = std::function<float*(std::span<const TensorSpec> stacked)>;

// weight [outputs, inputs], bias [1, outputs] or without data; with LoRA the layer multiplies by weight + up
// down (Hu et al., "LoRA", 2021), else they have no data.
struct Affine {
  MatrixView weight;
  MatrixView bias;
  MatrixView down;  // [rank, inputs]
  MatrixView up;    // [outputs, rank]
};

struct LayerNormTensors {
  MatrixView scale;  // [1, width]
  MatrixView shift;
};

struct EncoderBlockTensors {
  LayerNormTensors attention_norm;
  Affine qkv;  // q, k, v one below the other
  Affine attention_out;
  LayerNormTensors mlp_norm;
  Affine fc1;
  Affine fc2;
};

struct ImageTowerTensors {
  Affine patch_embedding;
  MatrixView positions;  // [tokens, width]
  std::vector<EncoderBlockTensors> blocks;
  LayerNormTensors final_norm;
};

// Norms are [1, width] and hold w; the layer multiplies by 1 + w.
struct DecoderBlockTensors {
  MatrixView attention_norm;
  Affine qkv;
  Affine attention_out;
  MatrixView post_attention_norm;  // Gemma 2
  MatrixView mlp_norm;
  Affine gate_up;  // gate above up
  Affine down;
  MatrixView post_mlp_norm;  // Gemma 2
};

struct LanguageTowerTensors {
  MatrixView embedding;  // [vocabulary, width]
  MatrixView own_head;   // likewise; without data where the head is tied to the embedding
  std::vector<DecoderBlockTensors> blocks;
  MatrixView final_norm;

  const MatrixView& head() const { return own_head.rows > 0 ? own_head : embedding; }
};

// What only stage 0 trains beside the image tower, and no stored model has: the heads that read the labels of
// a patch, and the text tower of SigLIP's loss.
struct ImageStageTensors {
  Affine patch_head;          // [labels' classes, width]
  Affine picture_head;        // [width, width], of the mean over a picture's tokens
  MatrixView text_embedding;  // [vocabulary, width]
  MatrixView text_positions;  // [kCaptionTokens, width]
  EncoderBlockTensors text_block;
  LayerNormTensors text_norm;
  MatrixView scale_and_bias;  // [1, 2]: logits = exp(s) z z' + b
};
inline constexpr int kCaptionTokens = 32;

// Views of every tensor of a PaliGemma: of its weights, or of their gradients, whatever `source` holds.
struct PaliGemmaTensors {
  ImageTowerTensors image_tower;
  Affine projection;
  LanguageTowerTensors language_tower;
  ImageStageTensors image_stage;
};
// What is trained beside the model.
struct AddedTensors {
  int lora_rank = 0;      // above 0: of adapters of both towers' matmuls
  int patch_classes = 0;  // above 0: stage 0's heads; see ImageStage
};
PaliGemmaTensors paligemma_tensors(const ModelConfig& config, const AddedTensors& added,
                                   const TensorSource& source);

}  // namespace palisade
