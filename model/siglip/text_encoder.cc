#include "model/siglip/text_encoder.h"

#include <algorithm>

#include "model/kernels/kernels.h"

namespace palisade {

TextEncoder::TextEncoder(const SiglipTextConfig& config, const Checkpoint& checkpoint,
                         const std::string& prefix)
    : config_(config),
      tokens_(
          checkpoint.read(prefix + "embeddings.token_embedding.weight", {config.vocabulary, config.width})),
      positions_(
          checkpoint.read(prefix + "embeddings.position_embedding.weight", {config.positions, config.width})),
      layers_({.width = config.width,
               .mlp_width = config.mlp_width,
               .layers = config.layers,
               .heads = config.heads,
               .layer_norm_eps = config.layer_norm_eps},
              checkpoint, prefix + "encoder.layers.", Precision::kF32),
      final_norm_(
          read_layer_norm(checkpoint, prefix + "final_layer_norm", config.width, config.layer_norm_eps)),
      head_(read_biased_linear(checkpoint, prefix + "head", config.projection, config.width,
                               Precision::kF32)) {}

Matrix TextEncoder::forward(std::span<const TokenId> ids, const Observer& observer) const {
  const int rows = int(ids.size()), texts = rows / config_.positions;
  Matrix x(rows, config_.width);
  for (int row = 0; row < rows; ++row) {
    std::ranges::copy(tokens_.row(ids[row]), x.row(row).begin());
    add(x.row(row), positions_.row(row % config_.positions));
  }
  layers_.forward(x, config_.positions, observer, "text.layer.");
  final_norm_(x, x);
  if (observer) observer("text.last_hidden", x);
  Matrix last(texts, config_.width), pooled(texts, config_.projection);
  for (int text = 0; text < texts; ++text)
    std::ranges::copy(x.row((text + 1) * config_.positions - 1), last.row(text).begin());
  head_(last, pooled);
  return pooled;
}

}  // namespace palisade
