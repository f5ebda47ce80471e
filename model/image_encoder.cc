#include "model/image_encoder.h"

#include <algorithm>

#include "model/kernels.h"

namespace palisade {

ImageEncoder::ImageEncoder(const VisionConfig& config, const Checkpoint& checkpoint,
                           const std::string& prefix, Precision precision)
    : config_(config),
      patch_embedding_([&] {
        const std::string name = prefix + "embeddings.patch_embedding";
        const Matrix weight = checkpoint.read(
            name + ".weight", {config.width, config.channels, config.patch_size, config.patch_size});
        const Matrix bias = checkpoint.read(name + ".bias", {config.width});
        return Linear(weight, bias.row(0), Precision::kF32);  // a few thousandths of the work
      }()),
      positions_(
          checkpoint.read(prefix + "embeddings.position_embedding.weight", {config.tokens(), config.width})),
      layers_({.width = config.width,
               .mlp_width = config.mlp_width,
               .layers = config.layers,
               .heads = config.heads,
               .layer_norm_eps = config.layer_norm_eps},
              checkpoint, prefix + "encoder.layers.", precision),
      final_norm_(
          read_layer_norm(checkpoint, prefix + "post_layernorm", config.width, config.layer_norm_eps)) {}

// The convolution's input as rows: channel, then patch row, then patch column, as its weight is laid out.
// [pictures * tokens, 3 * patch * patch]
Matrix ImageEncoder::patches(const std::vector<Matrix>& pixels) const {
  const int patch = config_.patch_size, grid = config_.grid(), size = config_.image_size;
  Matrix rows(int(pixels.size()) * config_.tokens(), config_.channels * patch * patch);
  float* out = rows.data();
  for (const Matrix& picture : pixels) {
    for (int y = 0; y < grid; ++y) {
      for (int x = 0; x < grid; ++x) {
        for (int channel = 0; channel < config_.channels; ++channel) {
          for (int line = 0; line < patch; ++line) {
            const float* in = picture.row(channel).data() + std::size_t(y * patch + line) * size + x * patch;
            out = std::copy(in, in + patch, out);
          }
        }
      }
    }
  }
  return rows;
}

Matrix ImageEncoder::embed(const std::vector<Matrix>& pixels, const Observer& observer) const {
  const int tokens = config_.tokens(), rows = int(pixels.size()) * tokens;
  Matrix x(rows, config_.width);
  patch_embedding_(patches(pixels), x);
  if (observer) observer("vision.patch", x);
  for (int row = 0; row < rows; ++row) add(x.row(row), positions_.row(row % tokens));
  if (observer) observer("vision.embeddings", x);
  return x;
}

EncoderPass ImageEncoder::layers(MatrixView x, const Observer& observer) const {
  return EncoderPass(layers_, x, config_.tokens(), observer, "vision.layer.");
}

void ImageEncoder::final_norm(MatrixView x, const Observer& observer) const {
  final_norm_(x, x);
  if (observer) observer("vision.post_layernorm", x);
}

Matrix ImageEncoder::forward(const std::vector<Matrix>& pixels, const Observer& observer) const {
  Matrix x = embed(pixels, observer);
  EncoderPass pass = layers(x, observer);
  while (pass.advance(kUnboundedOperations)) {
  }
  final_norm(x, observer);
  return x;
}

}  // namespace palisade
