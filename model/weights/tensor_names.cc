#include "model/weights/tensor_names.h"

#include <cstdint>
#include <initializer_list>
#include <set>

#include "base/format.h"

namespace palisade {
namespace {

// Takes `prefix` away where `name` begins with it.
bool drop_prefix(std::string_view& name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return false;
  name.remove_prefix(prefix.size());
  return true;
}

std::string joined(std::string_view part, std::string_view rest) {
  return std::string(part) += rest;
}

using Names = std::set<std::string>;

void add_all(Names& names, const std::string& part, std::initializer_list<const char*> own) {
  for (const char* name : own) names.insert(part + name);
}

Names names_of(const TensorShapes& shapes) {
  Names names;
  for (const auto& [name, shape] : shapes) names.insert(names.end(), name);
  return names;
}

// `name`.weight [outputs, inputs] and `name`.bias
void add_linear(TensorShapes& shapes, const std::string& name, std::int64_t outputs, std::int64_t inputs) {
  shapes[name + ".weight"] = {outputs, inputs};
  shapes[name + ".bias"] = {outputs};
}

void add_layer_norm(TensorShapes& shapes, const std::string& name, std::int64_t width) {
  shapes[name + ".weight"] = shapes[name + ".bias"] = {width};
}

void add_encoder(TensorShapes& shapes, const std::string& tower, int layers, std::int64_t width,
                 std::int64_t mlp_width) {
  for (int layer = 0; layer < layers; ++layer) {
    const std::string part = format("{}encoder.layers.{}.", tower, layer);
    for (const char* norm : {"layer_norm1", "layer_norm2"}) add_layer_norm(shapes, part + norm, width);
    for (const char* linear : {"q_proj", "k_proj", "v_proj", "out_proj"})
      add_linear(shapes, part + "self_attn." + linear, width, width);
    add_linear(shapes, part + "mlp.fc1", mlp_width, width);
    add_linear(shapes, part + "mlp.fc2", width, mlp_width);
  }
}

void add_image_tower(TensorShapes& shapes, const std::string& tower, const VisionConfig& config) {
  const std::string embeddings = tower + "embeddings.";
  shapes[embeddings + "patch_embedding.weight"] = {config.width, config.channels, config.patch_size,
                                                   config.patch_size};
  shapes[embeddings + "patch_embedding.bias"] = {config.width};
  shapes[embeddings + "position_embedding.weight"] = {config.tokens(), config.width};
  add_layer_norm(shapes, tower + "post_layernorm", config.width);
  add_encoder(shapes, tower, config.layers, config.width, config.mlp_width);
}

void add_language_tower(TensorShapes& shapes, const TextConfig& config) {
  const std::int64_t width = config.width, mlp_width = config.mlp_width,
                     q_width = std::int64_t(config.heads) * config.head_dim,
                     kv_width = std::int64_t(config.kv_heads) * config.head_dim;
  shapes[kEmbeddingTensor] = shapes[kHeadTensor] = {config.vocabulary, width};
  shapes["language_model.model.norm.weight"] = {width};
  for (int layer = 0; layer < config.layers; ++layer) {
    const std::string part = format("language_model.model.layers.{}.", layer);
    shapes[part + "input_layernorm.weight"] = shapes[part + "post_attention_layernorm.weight"] = {width};
    if (config.architecture == TextArchitecture::kGemma2)
      shapes[part + "pre_feedforward_layernorm.weight"] =
          shapes[part + "post_feedforward_layernorm.weight"] = {width};
    shapes[part + "self_attn.q_proj.weight"] = {q_width, width};
    shapes[part + "self_attn.k_proj.weight"] = shapes[part + "self_attn.v_proj.weight"] = {kv_width, width};
    shapes[part + "self_attn.o_proj.weight"] = {width, q_width};
    shapes[part + "mlp.gate_proj.weight"] = shapes[part + "mlp.up_proj.weight"] = {mlp_width, width};
    shapes[part + "mlp.down_proj.weight"] = {width, mlp_width};
  }
}

// Which changes nothing in an answer.
bool is_irrelevant(const std::string& name) {
  return name.ends_with(".position_ids") || name.ends_with("rotary_emb.inv_freq") ||
         name.starts_with("vision_tower.vision_model.head.");
}

struct Telltale {
  std::string_view part;  // of a name
  std::string_view tells;
};
constexpr std::string_view kQuantised =
    " belongs to quantised weights (bitsandbytes, AWQ, GPTQ, FP8 or MLX), which Palisade does not read; "
    "bring "
    "the checkpoint that they were made from, and take --precision int8 where memory is short";
constexpr std::string_view kAdapter =
    " belongs to an adapter (LoRA) that was not merged; merge it in Python (peft: merge_and_unload()), save "
    "the model and give that folder";
constexpr Telltale kTelltales[] = {
    {".lora_", kAdapter},           {".base_layer.", kAdapter},     {"base_model.model.", kAdapter},
    {".absmax", kQuantised},        {".quant_", kQuantised},        {".nested_", kQuantised},
    {".SCB", kQuantised},           {".weight_format", kQuantised}, {".qweight", kQuantised},
    {".qzeros", kQuantised},        {".scales", kQuantised},        {".biases", kQuantised},
    {".g_idx", kQuantised},         {"_scale", kQuantised},         {"_zero_point", kQuantised},
    {".weight_packed", kQuantised}, {".weight_shape", kQuantised}};

}  // namespace

std::string released_name(std::string_view name) {
  std::string_view rest = name;
  drop_prefix(rest, "model.");
  if (rest.starts_with("multi_modal_projector.")) return std::string(rest);
  if (rest.starts_with("lm_head.")) return joined("language_model.", rest);
  if (drop_prefix(rest, "vision_tower.")) {
    drop_prefix(rest, "vision_model.");
    return joined("vision_tower.vision_model.", rest);
  }
  if (drop_prefix(rest, "language_model.")) {
    drop_prefix(rest, "model.");
    return joined(rest.starts_with("lm_head.") ? "language_model." : "language_model.model.", rest);
  }
  return std::string(name);
}

TensorShapes tensor_shapes(const ModelConfig& config) {
  TensorShapes shapes;
  add_image_tower(shapes, "vision_tower.vision_model.", config.vision);
  add_linear(shapes, "multi_modal_projector.linear", config.text.width, config.vision.width);
  add_language_tower(shapes, config.text);
  return shapes;
}

std::function<bool(const std::string&)> known_tensors(const ModelConfig& config) {
  return [names = names_of(tensor_shapes(config))](const std::string& name) {
    return names.contains(name) || is_irrelevant(name);
  };
}

std::function<bool(const std::string&)> known_tensors(const SiglipConfig& config) {
  TensorShapes shapes;
  add_image_tower(shapes, "vision_model.", config.vision);
  add_encoder(shapes, "text_model.", config.text.layers, config.text.width, config.text.mlp_width);
  Names names = names_of(shapes);
  add_all(names, "", {"logit_scale", "logit_bias"});
  add_all(names, "vision_model.head.",
          {"probe", "attention.in_proj_weight", "attention.in_proj_bias", "attention.out_proj.weight",
           "attention.out_proj.bias", "layernorm.weight", "layernorm.bias", "mlp.fc1.weight", "mlp.fc1.bias",
           "mlp.fc2.weight", "mlp.fc2.bias"});
  add_all(names, "text_model.",
          {"embeddings.token_embedding.weight", "embeddings.position_embedding.weight",
           "final_layer_norm.weight", "final_layer_norm.bias", "head.weight", "head.bias"});
  return [names = std::move(names)](const std::string& name) {
    return names.contains(name) || name.ends_with(".position_ids");
  };
}

std::string why_unread(const std::string& stored_name) {
  for (const Telltale& telltale : kTelltales) {
    if (stored_name.find(telltale.part) != std::string::npos)
      return joined("tensor \"" + stored_name + "\"", telltale.tells);
  }
  return "tensor \"" + stored_name +
         "\" is read by nothing that config.json describes, and may change the answers; bring the "
         "config.json "
         "that belongs to these weights, or remove the tensor";
}

}  // namespace palisade
