#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "model/matrix.h"
#include "model/model_config.h"

namespace palisade {

enum class ModelPart { kImageEncoder, kProjection, kLanguageModel };

// One stored tensor, named as in the released files.
struct TensorSpec {
  std::string name;
  std::vector<std::int64_t> shape;
  ModelPart part = ModelPart::kLanguageModel;
  bool decayed = false;  // by weight decay: big_vision's ".*/kernel$", so nothing of Gemma
  bool adapter = false;  // of LoRA: no part of the stored model

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
  MatrixView embedding;  // [vocabulary, width]; the head is tied to it
  std::vector<DecoderBlockTensors> blocks;
  MatrixView final_norm;
};

// Views of every tensor of a PaliGemma: of its weights, or of their gradients, whatever `source` holds.
struct PaliGemmaTensors {
  ImageTowerTensors image_tower;
  Affine projection;
  LanguageTowerTensors language_tower;
};
// `lora_rank`: of the adapters of both towers' products; 0: none.
PaliGemmaTensors paligemma_tensors(const ModelConfig& config, int lora_rank, const TensorSource& source);

}  // namespace palisade
