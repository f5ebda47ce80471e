#include "model/encoder_layers.h"

#include <cmath>

#include "model/attention.h"
#include "model/kernels.h"
#include "model/parallel.h"

namespace palisade {
namespace {

void add_rows(MatrixView x, ConstMatrixView y) {
  for (int row = 0; row < x.rows; ++row) add(x.row(row), y.row(row));
}

}  // namespace

void LayerNorm::operator()(ConstMatrixView x, MatrixView out) const {
  for (int row = 0; row < x.rows; ++row)
    layer_norm(x.row(row), scale.row(0), shift.row(0), eps, out.row(row));
}

LayerNorm read_layer_norm(const Checkpoint& checkpoint, const std::string& name, int width, float eps) {
  return {checkpoint.read(name + ".weight", {width}), checkpoint.read(name + ".bias", {width}), eps};
}

Linear read_biased_linear(const Checkpoint& checkpoint, const std::string& name, int outputs, int inputs) {
  const Matrix weight = checkpoint.read(name + ".weight", {outputs, inputs});
  const Matrix bias = checkpoint.read(name + ".bias", {outputs});
  return Linear(weight, bias.row(0));
}

EncoderMlp::EncoderMlp(const Checkpoint& checkpoint, const std::string& name, int width, int mlp_width)
    : in_(read_biased_linear(checkpoint, name + ".fc1", mlp_width, width)),
      out_(read_biased_linear(checkpoint, name + ".fc2", width, mlp_width)) {}

void EncoderMlp::operator()(ConstMatrixView x, MatrixView out) const {
  Matrix hidden(x.rows, in_.outputs());
  in_(x, hidden);
  parallel_for(x.rows, 20.0 * hidden.size(), [&](int row) { gelu_tanh(hidden.row(row)); });
  out_(hidden, out);
}

EncoderLayers::EncoderLayers(const EncoderShape& shape, const Checkpoint& checkpoint,
                             const std::string& prefix)
    : shape_(shape) {
  for (int index = 0; index < shape.layers; ++index)
    layers_.push_back(read_layer(checkpoint, prefix + std::to_string(index) + "."));
}

EncoderLayers::Layer EncoderLayers::read_layer(const Checkpoint& checkpoint, const std::string& name) const {
  const int width = shape_.width;
  const std::string q = name + "self_attn.q_proj", k = name + "self_attn.k_proj",
                    v = name + "self_attn.v_proj";
  const Matrix qkv =
      checkpoint.read_stacked({q + ".weight", k + ".weight", v + ".weight"}, {width, width, width}, width);
  std::vector<float> qkv_bias;
  for (const std::string& part : {q, k, v}) {
    const Matrix bias = checkpoint.read(part + ".bias", {width});
    qkv_bias.insert(qkv_bias.end(), bias.row(0).begin(), bias.row(0).end());
  }
  return {read_layer_norm(checkpoint, name + "layer_norm1", width, shape_.layer_norm_eps),
          Linear(qkv, qkv_bias), read_biased_linear(checkpoint, name + "self_attn.out_proj", width, width),
          read_layer_norm(checkpoint, name + "layer_norm2", width, shape_.layer_norm_eps),
          EncoderMlp(checkpoint, name + "mlp", width, shape_.mlp_width)};
}

void EncoderLayers::attention(const Layer& layer, int tokens, ConstMatrixView normed,
                              MatrixView mixed) const {
  const int width = shape_.width, head_dim = width / shape_.heads;
  Matrix qkv(normed.rows, 3 * width);  // [sequences * tokens, q | k | v]
  layer.qkv(normed, qkv);
  const AttentionShape shape{.heads = shape_.heads,
                             .kv_heads = shape_.heads,
                             .head_dim = head_dim,
                             .scale = 1.0f / std::sqrt(float(head_dim))};
  Matrix heads(normed.rows, width);
  for (int first = 0; first < normed.rows; first += tokens) {
    const MatrixView sequence = qkv.view().row_range(first, tokens);
    attend(shape, sequence.block(0, tokens, 0, width), sequence.block(0, tokens, width, width),
           sequence.block(0, tokens, 2 * width, width), {.prefix = tokens},
           heads.view().row_range(first, tokens));
  }
  layer.attention_out(heads, mixed);
}

void EncoderLayers::forward(MatrixView x, int tokens, const Observer& observer,
                            std::string_view observed) const {
  Matrix normed(x.rows, x.cols), mixed(x.rows, x.cols);
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    const Layer& layer = layers_[index];
    layer.attention_norm(x, normed);
    attention(layer, tokens, normed, mixed);
    add_rows(x, mixed);
    layer.mlp_norm(x, normed);
    layer.mlp(normed, mixed);
    add_rows(x, mixed);
    if (observer) observer(std::string(observed) + std::to_string(index), x);
  }
}

}  // namespace palisade
