#include "model/train/tensors.h"

#include <functional>
#include <numeric>

#include "base/format.h"
#include "model/weights/tensor_names.h"

namespace palisade {
namespace {

using Shape = std::vector<std::int64_t>;

// Asks the source for the tensors of one part under their names.
class PartReader {
 public:
  PartReader(const TensorSource& source, ModelPart part, int lora_rank, bool added = false)
      : source_(source), part_(part), lora_rank_(lora_rank), added_(added) {}

  MatrixView row(const std::string& name, int width) const {
    return view({name}, {1}, width, {width}, false);
  }
  MatrixView rows(const std::string& name, int count, int width) const {
    return view({name}, {count}, width, {}, false);
  }
  // NAME.weight of each name one below the other, and NAME.bias.
  Affine affine(const std::vector<std::string>& names, const std::vector<int>& outputs, int inputs,
                bool biased) const {
    std::vector<std::string> weights, biases;
    for (const std::string& name : names) {
      weights.push_back(name + ".weight");
      biases.push_back(name + ".bias");
    }
    Affine made{view(weights, outputs, inputs, {}, part_ != ModelPart::kLanguageModel), {}};
    if (biased) made.bias = bias(biases, outputs);
    if (lora_rank_ > 0) {
      made.down = adapter(names.front() + ".lora_down", lora_rank_, inputs);
      made.up = adapter(names.front() + ".lora_up", made.weight.rows, lora_rank_);
    }
    return made;
  }
  Affine affine(const std::string& name, int outputs, int inputs, bool biased) const {
    return affine(std::vector{name}, {outputs}, inputs, biased);
  }
  LayerNormTensors layer_norm(const std::string& name, int width) const {
    return {row(name + ".weight", width), row(name + ".bias", width)};
  }
  Affine convolution(const std::string& name, const VisionConfig& config) const {
    const int patch = config.patch_size;
    return {view({name + ".weight"}, {config.width}, config.channels * patch * patch,
                 {config.width, config.channels, patch, patch}, true),
            bias({name + ".bias"}, {config.width})};
  }

 private:
  // A shape other than [rows, cols] is of the only name.
  MatrixView view(const std::vector<std::string>& names, const std::vector<int>& rows, int cols,
                  const Shape& shape, bool decayed) const {
    std::vector<TensorSpec> specs;
    for (std::size_t i = 0; i < names.size(); ++i)
      specs.push_back({names[i], shape.empty() ? Shape{rows[i], cols} : shape, part_, decayed, added_});
    return {source_(specs), std::accumulate(rows.begin(), rows.end(), 0), cols};
  }
  MatrixView bias(const std::vector<std::string>& names, const std::vector<int>& sizes) const {
    std::vector<TensorSpec> specs;
    for (std::size_t i = 0; i < names.size(); ++i)
      specs.push_back({names[i], {sizes[i]}, part_, false, added_});
    return {source_(specs), 1, std::accumulate(sizes.begin(), sizes.end(), 0)};
  }

  MatrixView adapter(const std::string& name, int rows, int cols) const {
    const TensorSpec spec{name, {rows, cols}, part_, false, true};
    return {source_({&spec, 1}), rows, cols};
  }

  const TensorSource& source_;
  ModelPart part_;
  int lora_rank_;
  bool added_;
};

// Of a transformer as wide as the image tower.
EncoderBlockTensors encoder_block(const PartReader& read, const std::string& name,
                                  const VisionConfig& config) {
  const int width = config.width;
  const std::string attention = name + "self_attn.";
  return {.attention_norm = read.layer_norm(name + "layer_norm1", width),
          .qkv = read.affine({attention + "q_proj", attention + "k_proj", attention + "v_proj"},
                             {width, width, width}, width, true),
          .attention_out = read.affine(attention + "out_proj", width, width, true),
          .mlp_norm = read.layer_norm(name + "layer_norm2", width),
          .fc1 = read.affine(name + "mlp.fc1", config.mlp_width, width, true),
          .fc2 = read.affine(name + "mlp.fc2", width, config.mlp_width, true)};
}

DecoderBlockTensors decoder_block(const PartReader& read, const std::string& name, const TextConfig& config) {
  const int width = config.width, q_width = config.heads * config.head_dim;
  const int kv_width = config.kv_heads * config.head_dim;
  const bool second = config.architecture == TextArchitecture::kGemma2;
  const std::string attention = name + "self_attn.", mlp = name + "mlp.";
  DecoderBlockTensors block{
      .attention_norm = read.row(name + "input_layernorm.weight", width),
      .qkv = read.affine({attention + "q_proj", attention + "k_proj", attention + "v_proj"},
                         {q_width, kv_width, kv_width}, width, false),
      .attention_out = read.affine(attention + "o_proj", width, q_width, false),
      .post_attention_norm = {},
      // Gemma 1 names the norm before the MLP after what precedes it.
      .mlp_norm = read.row(
          name + (second ? "pre_feedforward_layernorm.weight" : "post_attention_layernorm.weight"), width),
      .gate_up = read.affine({mlp + "gate_proj", mlp + "up_proj"}, {config.mlp_width, config.mlp_width},
                             width, false),
      .down = read.affine(mlp + "down_proj", width, config.mlp_width, false),
      .post_mlp_norm = {}};
  if (second) {
    block.post_attention_norm = read.row(name + "post_attention_layernorm.weight", width);
    block.post_mlp_norm = read.row(name + "post_feedforward_layernorm.weight", width);
  }
  return block;
}

ImageTowerTensors image_tower(const PartReader& read, const VisionConfig& config) {
  const std::string name = "vision_tower.vision_model.";
  ImageTowerTensors tower{
      .patch_embedding = read.convolution(name + "embeddings.patch_embedding", config),
      .positions = read.rows(name + "embeddings.position_embedding.weight", config.tokens(), config.width),
      .blocks = {},
      .final_norm = {}};
  for (int layer = 0; layer < config.layers; ++layer)
    tower.blocks.push_back(encoder_block(read, format("{}encoder.layers.{}.", name, layer), config));
  tower.final_norm = read.layer_norm(name + "post_layernorm", config.width);
  return tower;
}

LanguageTowerTensors language_tower(const PartReader& read, const TextConfig& config) {
  const std::string name = "language_model.model.";
  LanguageTowerTensors tower{.embedding = read.rows(kEmbeddingTensor, config.vocabulary, config.width),
                             .own_head = {},
                             .blocks = {},
                             .final_norm = {}};
  if (config.own_head) tower.own_head = read.rows(kHeadTensor, config.vocabulary, config.width);
  for (int layer = 0; layer < config.layers; ++layer)
    tower.blocks.push_back(decoder_block(read, format("{}layers.{}.", name, layer), config));
  tower.final_norm = read.row(name + "norm.weight", config.width);
  return tower;
}

ImageStageTensors image_stage(const PartReader& read, const ModelConfig& config, int patch_classes) {
  if (patch_classes == 0) return {};
  const int width = config.vision.width;
  const std::string name = "image_stage.";
  return {.patch_head = read.affine(name + "patch_head", patch_classes, width, true),
          .picture_head = read.affine(name + "picture_head", width, width, true),
          .text_embedding = read.rows(name + "text_embedding.weight", config.text.vocabulary, width),
          .text_positions = read.rows(name + "text_positions.weight", kCaptionTokens, width),
          .text_block = encoder_block(read, name + "text_block.", config.vision),
          .text_norm = read.layer_norm(name + "text_layernorm", width),
          .scale_and_bias = read.row(name + "scale_and_bias", 2)};
}

}  // namespace

std::size_t TensorSpec::size() const {
  return std::accumulate(shape.begin(), shape.end(), std::size_t(1),
                         [](std::size_t size, std::int64_t extent) { return size * std::size_t(extent); });
}

PaliGemmaTensors paligemma_tensors(const ModelConfig& config, const AddedTensors& added,
                                   const TensorSource& source) {
  const int rank = added.lora_rank;
  return {
      .image_tower = image_tower({source, ModelPart::kImageEncoder, rank}, config.vision),
      .projection = PartReader(source, ModelPart::kProjection, 0)
                        .affine("multi_modal_projector.linear", config.text.width, config.vision.width, true),
      .language_tower = language_tower({source, ModelPart::kLanguageModel, rank}, config.text),
      .image_stage = image_stage({source, ModelPart::kImageEncoder, 0, true}, config, added.patch_classes)};
}

}  // namespace palisade
