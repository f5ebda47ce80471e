#include "model/siglip/image_encoder.h"

#include <algorithm>
#include <cassert>

#include "model/kernels/kernels.h"

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
      layers_(encoder_shape_of(config), checkpoint, prefix + "encoder.layers.", precision),
      final_norm_(
          read_layer_norm(checkpoint, prefix + "post_layernorm", config.width, config.layer_norm_eps)) {}

void write_patches(const VisionConfig& config, const std::vector<Matrix>& pixels, MatrixView out) {
  assert(out.contiguous());
  const int patch = config.patch_size, grid = config.grid(), size = config.image_size;
  float* to = out.data;
  for (const Matrix& picture : pixels) {
    for (int y = 0; y < grid; ++y) {
      for (int x = 0; x < grid; ++x) {
        for (int channel = 0; channel < config.channels; ++channel) {
          for (int line = 0; line < patch; ++line) {
            const float* in = picture.row(channel).data() + std::size_t(y * patch + line) * size + x * patch;
            to = std::copy(in, in + patch, to);
          }
        }
      }
    }
  }
}

EncoderShape encoder_shape_of(const VisionConfig& config) {
  return {.width = config.width,
          .mlp_width = config.mlp_width,
          .layers = config.layers,
          .heads = config.heads,
          .layer_norm_eps = config.layer_norm_eps};
}

Matrix ImageEncoder::embed(const std::vector<Matrix>& pixels, const Observer& observer) const {
  const int tokens = config_.tokens(), rows = int(pixels.size()) * tokens;
  Matrix x(rows, config_.width), patches(rows, config_.channels * config_.patch_size * config_.patch_size);
  write_patches(config_, pixels, patches);
  patch_embedding_(patches, x);
  if (observer) observer("vision.patch", x);
  for (int row = 0; row < rows; ++row) add(x.row(row), positions_.row(row % tokens));
  if (observer) observer("vision.embeddings", x);
  return x;
}

EncoderPass ImageEncoder::layers(MatrixView x, const Observer& observer,
                                 const EncoderAdapter* adapter) const {
  return EncoderPass(layers_, x, config_.tokens(), observer, "vision.layer.", adapter);
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
