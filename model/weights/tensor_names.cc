#include "model/weights/tensor_names.h"

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

void add_encoder(Names& names, const std::string& tower, int layers) {
  for (int layer = 0; layer < layers; ++layer) {
    for (const char* part : {"layer_norm1", "layer_norm2", "self_attn.q_proj", "self_attn.k_proj",
                             "self_attn.v_proj", "self_attn.out_proj", "mlp.fc1", "mlp.fc2"}) {
      add_all(names, format("{}encoder.layers.{}.{}", tower, layer, part), {".weight", ".bias"});
    }
  }
}

void add_image_tower(Names& names, const std::string& tower, const VisionConfig& config) {
  add_all(names, tower,
          {"embeddings.patch_embedding.weight", "embeddings.patch_embedding.bias",
           "embeddings.position_embedding.weight", "post_layernorm.weight", "post_layernorm.bias"});
  add_encoder(names, tower, config.layers);
}

void add_language_tower(Names& names, const TextConfig& config) {
  names.insert({kEmbeddingTensor, kHeadTensor, "language_model.model.norm.weight"});
  for (int layer = 0; layer < config.layers; ++layer) {
    const std::string part = format("language_model.model.layers.{}.", layer);
    add_all(names, part,
            {"input_layernorm.weight", "post_attention_layernorm.weight", "self_attn.q_proj.weight",
             "self_attn.k_proj.weight", "self_attn.v_proj.weight", "self_attn.o_proj.weight",
             "mlp.gate_proj.weight", "mlp.up_proj.weight", "mlp.down_proj.weight"});
    if (config.architecture == TextArchitecture::kGemma2)
      add_all(names, part, {"pre_feedforward_layernorm.weight", "post_feedforward_layernorm.weight"});
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

std::function<bool(const std::string&)> known_tensors(const ModelConfig& config) {
  Names names = {"multi_modal_projector.linear.weight", "multi_modal_projector.linear.bias"};
  add_image_tower(names, "vision_tower.vision_model.", config.vision);
  add_language_tower(names, config.text);
  return [names = std::move(names)](const std::string& name) {
    return names.contains(name) || is_irrelevant(name);
  };
}

std::function<bool(const std::string&)> known_tensors(const SiglipConfig& config) {
  Names names = {"logit_scale", "logit_bias"};
  add_image_tower(names, "vision_model.", config.vision);
  add_all(names, "vision_model.head.",
          {"probe", "attention.in_proj_weight", "attention.in_proj_bias", "attention.out_proj.weight",
           "attention.out_proj.bias", "layernorm.weight", "layernorm.bias", "mlp.fc1.weight", "mlp.fc1.bias",
           "mlp.fc2.weight", "mlp.fc2.bias"});
  add_encoder(names, "text_model.", config.text.layers);
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
