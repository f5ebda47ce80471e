#include "model/gemma/language_adapter.h"

#include <string>
#include <utility>

#include "base/format.h"

namespace palisade {
namespace {

// Of matrices that stand one below the other in a Linear, each with its outputs.
LowRank stacked_matrices(const AdapterTensors& adapter,
                         const std::vector<std::pair<std::string, int>>& matrices, int inputs, bool halves) {
  std::vector<LowRankOutputs> outputs;
  for (const auto& [name, count] : matrices) outputs.push_back({adapter.find(name), 0, count});
  return {inputs, std::span(&outputs, 1), halves};
}

}  // namespace

LanguageAdapter::LanguageAdapter(const TextConfig& config, const AdapterTensors& adapter, bool halves) {
  const int width = config.width, mlp_width = config.mlp_width;
  const int q_width = config.heads * config.head_dim, kv_width = config.kv_heads * config.head_dim;
  head = stacked_matrices(adapter, {{"language_model.lm_head", config.vocabulary}}, width, halves);
  if (!adapter.has_any("language_model.model.layers.")) return;
  for (int index = 0; index < config.layers; ++index) {
    const std::string name = format("language_model.model.layers.{}.", index),
                      attention = name + "self_attn.", mlp = name + "mlp.";
    layers.push_back(
        {.qkv = stacked_matrices(adapter,
                                 {{attention + "q_proj", q_width},
                                  {attention + "k_proj", kv_width},
                                  {attention + "v_proj", kv_width}},
                                 width, halves),
         .attention_out = stacked_matrices(adapter, {{attention + "o_proj", width}}, q_width, halves),
         .gate_up = stacked_matrices(adapter, {{mlp + "gate_proj", mlp_width}, {mlp + "up_proj", mlp_width}},
                                     width, halves),
         .down = stacked_matrices(adapter, {{mlp + "down_proj", width}}, mlp_width, halves)});
  }
}

std::size_t LanguageAdapter::bytes() const {
  std::size_t bytes = head.bytes();
  for (const Layer& layer : layers)
    bytes += layer.qkv.bytes() + layer.attention_out.bytes() + layer.gate_up.bytes() + layer.down.bytes();
  return bytes;
}

}  // namespace palisade
