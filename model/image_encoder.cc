#include "model/image_encoder.h"

#include <cmath>

#include "model/attention.h"
#include "model/kernels.h"
#include "model/parallel.h"

namespace palisade {
namespace {

const std::string kTower = "vision_tower.vision_model.";

Linear read_linear(const Checkpoint& checkpoint, const std::string& name, int outputs, int inputs) {
  const Matrix weight = checkpoint.read(name + ".weight", {outputs, inputs});
  const Matrix bias = checkpoint.read(name + ".bias", {outputs});
  return Linear(weight, bias.row(0));
}

}  // namespace

void ImageEncoder::Norm::operator()(ConstMatrixView x, float eps, MatrixView out) const {
  for (int row = 0; row < x.rows; ++row)
    layer_norm(x.row(row), scale.row(0), shift.row(0), eps, out.row(row));
}

ImageEncoder::Norm ImageEncoder::read_norm(const Checkpoint& checkpoint, const std::string& name, int width) {
  return {checkpoint.read(name + ".weight", {width}), checkpoint.read(name + ".bias", {width})};
}

ImageEncoder::ImageEncoder(const VisionConfig& config, const Checkpoint& checkpoint)
    : config_(config),
      patch_embedding_([&] {
        const std::string name = kTower + "embeddings.patch_embedding";
        const Matrix weight = checkpoint.read(
            name + ".weight", {config.width, config.channels, config.patch_size, config.patch_size});
        const Matrix bias = checkpoint.read(name + ".bias", {config.width});
        return Linear(weight, bias.row(0));
      }()),
      positions_(
          checkpoint.read(kTower + "embeddings.position_embedding.weight", {config.tokens(), config.width})),
      final_norm_(read_norm(checkpoint, kTower + "post_layernorm", config.width)) {
  for (int index = 0; index < config.layers; ++index) layers_.push_back(read_layer(checkpoint, index));
}

ImageEncoder::Layer ImageEncoder::read_layer(const Checkpoint& checkpoint, int index) const {
  const int width = config_.width, mlp = config_.mlp_width;
  const std::string name = kTower + "encoder.layers." + std::to_string(index) + ".";
  const std::string q = name + "self_attn.q_proj", k = name + "self_attn.k_proj",
                    v = name + "self_attn.v_proj";
  const Matrix qkv =
      checkpoint.read_stacked({q + ".weight", k + ".weight", v + ".weight"}, {width, width, width}, width);
  std::vector<float> qkv_bias;
  for (const std::string& part : {q, k, v}) {
    const Matrix bias = checkpoint.read(part + ".bias", {width});
    qkv_bias.insert(qkv_bias.end(), bias.row(0).begin(), bias.row(0).end());
  }
  return {read_norm(checkpoint, name + "layer_norm1", width),
          Linear(qkv, qkv_bias),
          read_linear(checkpoint, name + "self_attn.out_proj", width, width),
          read_norm(checkpoint, name + "layer_norm2", width),
          read_linear(checkpoint, name + "mlp.fc1", mlp, width),
          read_linear(checkpoint, name + "mlp.fc2", width, mlp)};
}

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

void ImageEncoder::attention(const Layer& layer, ConstMatrixView normed, MatrixView mixed) const {
  const int width = config_.width, tokens = config_.tokens();
  Matrix qkv(normed.rows, 3 * width);  // [pictures * tokens, q | k | v]
  layer.qkv(normed, qkv);
  const AttentionShape shape{.heads = config_.heads,
                             .kv_heads = config_.heads,
                             .head_dim = config_.head_dim(),
                             .scale = 1.0f / std::sqrt(float(config_.head_dim()))};
  Matrix heads(normed.rows, width);
  for (int first = 0; first < normed.rows; first += tokens) {
    const MatrixView picture = qkv.view().row_range(first, tokens);
    attend(shape, picture.block(0, tokens, 0, width), picture.block(0, tokens, width, width),
           picture.block(0, tokens, 2 * width, width), {.prefix = tokens},
           heads.view().row_range(first, tokens));
  }
  layer.attention_out(heads, mixed);
}

Matrix ImageEncoder::forward(const std::vector<Matrix>& pixels, const Observer& observer) const {
  const int tokens = config_.tokens(), rows = int(pixels.size()) * tokens;
  Matrix x(rows, config_.width);
  patch_embedding_(patches(pixels), x);
  if (observer) observer("vision.patch", x);
  for (int row = 0; row < rows; ++row) add(x.row(row), positions_.row(row % tokens));
  if (observer) observer("vision.embeddings", x);

  Matrix normed(rows, config_.width), mixed(rows, config_.width), hidden(rows, config_.mlp_width);
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    const Layer& layer = layers_[index];
    layer.attention_norm(x, config_.layer_norm_eps, normed);
    attention(layer, normed, mixed);
    add({x.data(), x.size()}, {mixed.data(), mixed.size()});
    layer.mlp_norm(x, config_.layer_norm_eps, normed);
    layer.mlp_in(normed, hidden);
    parallel_for(rows, 20.0 * hidden.size(), [&](int row) { gelu_tanh(hidden.row(row)); });
    layer.mlp_out(hidden, mixed);
    add({x.data(), x.size()}, {mixed.data(), mixed.size()});
    if (observer) observer("vision.layer." + std::to_string(index), x);
  }
  final_norm_(x, config_.layer_norm_eps, x);
  if (observer) observer("vision.post_layernorm", x);
  return x;
}

}  // namespace palisade
