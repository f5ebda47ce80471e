#include "service/bench/work.h"

namespace palisade {
namespace {

// Weights of one Gemma layer for queries, keys and values.
double qkv_weights(const TextConfig& text) {
  return double(text.width) * text.head_dim * (text.heads + 2.0 * text.kv_heads);
}
// The other weights of a layer, without norms.
double mixing_weights(const TextConfig& text) {
  return double(text.width) * (double(text.head_dim) * text.heads + 3.0 * text.mlp_width);
}

// Weights of all layers.
double layer_weights(const TextConfig& text) {
  return text.layers * (qkv_weights(text) + mixing_weights(text));
}

double head_weights(const TextConfig& text) {
  return double(text.width) * text.vocabulary;
}

}  // namespace

Work work_of_encode(const ModelConfig& config, int images, double bytes_per_weight) {
  const VisionConfig& vision = config.vision;
  const double width = vision.width, rows = double(images) * vision.tokens();
  const double patch = width * vision.channels * vision.patch_size * vision.patch_size;
  const double weights =
      patch + vision.layers * (4 * width * width + 2 * width * vision.mlp_width) + width * config.text.width;
  return {.linear_operations = 2 * rows * weights,
          .attention_operations = 4 * rows * vision.tokens() * width * vision.layers,
          .weight_bytes = weights * bytes_per_weight};
}

Work work_of_prefill(const ModelConfig& config, int positions, double bytes_per_weight) {
  const TextConfig& text = config.text;
  const double n = positions, layers = layer_weights(text), head = head_weights(text);
  // In the last layer only the last row goes on from its query.
  const double rows = n * (text.layers - 1) + 1;
  return {.linear_operations =
              2 * n * text.layers * qkv_weights(text) + 2 * rows * mixing_weights(text) + 2 * head,
          .attention_operations = 4 * rows * n * text.heads * text.head_dim,
          .weight_bytes = (layers + head) * bytes_per_weight};
}

Work work_of_step(const ModelConfig& config, int sequences, int context, double bytes_per_weight) {
  const TextConfig& text = config.text;
  const double weights = layer_weights(text) + head_weights(text);
  const double seen =
      double(sequences) * (context + 1) * text.layers;  // positions that are attended, in all layers
  return {.linear_operations = 2.0 * sequences * weights,
          .attention_operations = 4 * seen * text.heads * text.head_dim,
          .weight_bytes = weights * bytes_per_weight,
          .cache_bytes = seen * 2 * text.kv_heads * text.head_dim * sizeof(float)};
}

}  // namespace palisade
