#include "model/gemma/language_model.h"

#include <cassert>
#include <cmath>

#include "base/format.h"
#include "model/error.h"
#include "model/gemma/rotary.h"
#include "model/kernels/kernels.h"
#include "model/matmul/attention.h"
#include "model/tensor/parallel.h"
#include "model/weights/tensor_names.h"

namespace palisade {
namespace {

const std::string kModel = "language_model.model.";

Matrix read_norm(const Checkpoint& checkpoint, const std::string& name, int width) {
  Matrix scale = checkpoint.read(name + ".weight", {width});
  for (float& w : scale.row(0)) w += 1.0f;
  return scale;
}

Linear read_linear(const Checkpoint& checkpoint, const std::string& name, int outputs, int inputs,
                   Precision precision) {
  return Linear(checkpoint.rows({name + ".weight"}, {outputs}, inputs), {}, precision);
}

Matrix rope_angles(const TextConfig& config) {
  const Rotary rotary(config);
  const auto half = std::size_t(rotary.half());
  Matrix angles(config.max_position_embeddings, config.head_dim);
  parallel_for(angles.rows(), 20.0 * double(angles.size()), [&](int position) {
    rotary.angles(position, angles.row(position).first(half), angles.row(position).last(half));
  });
  return angles;
}

}  // namespace

LanguageModel::LanguageModel(const TextConfig& config, SlidingWindow window)
    : config_(config), window_(window), angles_(rope_angles(config)) {
  layers_.reserve(config.layers);
}

void LanguageModel::load(const Checkpoint& checkpoint, Precision precision, const std::stop_token& stop) {
  try {
    load_parts(checkpoint, precision, stop);
  } catch (...) {
    loading_.failed(std::current_exception());
    throw;
  }
}

void LanguageModel::load_parts(const Checkpoint& checkpoint, Precision precision,
                               const std::stop_token& stop) {
  const int vocabulary = config_.vocabulary, width = config_.width;
  embedding_.emplace(checkpoint.rows({kEmbeddingTensor}, {vocabulary}, width), precision);
  const std::string& head = checkpoint.has(kHeadTensor) ? kHeadTensor : kEmbeddingTensor;
  head_.emplace(checkpoint.rows({head}, {vocabulary}, width), std::span<const float>(), precision);
  final_norm_ = read_norm(checkpoint, kModel + "norm", width);
  loading_.loaded_one();
  for (int index = 0; index < config_.layers; ++index) {
    if (stop.stop_requested()) throw ModelError("the model was given up before it was loaded");
    layers_.push_back(read_layer(checkpoint, index, precision));
    loading_.loaded_one();
  }
}

LanguageModel::Layer LanguageModel::read_layer(const Checkpoint& checkpoint, int index,
                                               Precision precision) const {
  const int width = config_.width, mlp_width = config_.mlp_width;
  const int q_width = config_.heads * config_.head_dim, kv_width = config_.kv_heads * config_.head_dim;
  const std::string name = format("{}layers.{}.", kModel, index);
  const std::string attention = name + "self_attn.";
  const bool second = config_.architecture == TextArchitecture::kGemma2;
  Layer layer{
      .attention_norm = read_norm(checkpoint, name + "input_layernorm", width),
      .qkv = Linear(checkpoint.rows({attention + "q_proj.weight", attention + "k_proj.weight",
                                     attention + "v_proj.weight"},
                                    {q_width, kv_width, kv_width}, width),
                    {}, precision),
      .attention_out = read_linear(checkpoint, attention + "o_proj", width, q_width, precision),
      .post_attention_norm = {},
      // Gemma 1 names the norm before the MLP after what precedes it.
      .mlp_norm = read_norm(
          checkpoint, name + (second ? "pre_feedforward_layernorm" : "post_attention_layernorm"), width),
      .gate_up = Linear(checkpoint.rows({name + "mlp.gate_proj.weight", name + "mlp.up_proj.weight"},
                                        {mlp_width, mlp_width}, width),
                        {}, precision),
      .down = read_linear(checkpoint, name + "mlp.down_proj", width, mlp_width, precision),
      .post_mlp_norm = {}};
  if (second) {
    layer.post_attention_norm = read_norm(checkpoint, name + "post_attention_layernorm", width);
    layer.post_mlp_norm = read_norm(checkpoint, name + "post_feedforward_layernorm", width);
  }
  return layer;
}

void LanguageModel::embed(std::span<const TokenId> ids, MatrixView out) const {
  loading_.wait_for(kEnds);
  const float factor = std::sqrt(float(config_.width));
  for (int row = 0; row < out.rows; ++row) {
    const TokenId id = ids[row];
    if (id < 0 || id >= config_.vocabulary) throw ModelError(format("token {} is not in the vocabulary", id));
    embedding_->copy(id, out.row(row));
    scale(out.row(row), factor);
  }
}

void LanguageModel::logits(ConstMatrixView hidden, MatrixView out, const RowAdapters& adapters) const {
  loading_.wait_for(kEnds);
  (*head_)(hidden, out, {}, adapters);
}

void LanguageModel::norm(ConstMatrixView x, const Matrix& scale_of, MatrixView out) const {
  parallel_for(x.rows, 8.0 * x.rows * x.cols,
               [&](int row) { rms_norm(x.row(row), scale_of.row(0), config_.rms_norm_eps, out.row(row)); });
}

void LanguageModel::norm(ConstMatrixView x, const Matrix& scale_of, MatmulRows& out) const {
  parallel_for(x.rows, 8.0 * x.rows * x.cols + out.operations_of_setting(), [&](int row) {
    const auto normed = row_of_thread(x.cols);
    rms_norm(x.row(row), scale_of.row(0), config_.rms_norm_eps, normed);
    out.set(row, normed);
  });
}

void LanguageModel::rotate(std::span<const float> heads, int position, std::span<float> out) const {
  const auto angles = angles_.row(position);
  const std::size_t dim = angles.size(), half = dim / 2;
  for (std::size_t at = 0; at < heads.size(); at += dim)
    rotate_halves(heads.subspan(at, dim), angles.first(half), angles.last(half), out.subspan(at, dim));
}

AttentionShape attention_shape_of(const TextConfig& config) {
  const bool second = config.architecture == TextArchitecture::kGemma2;
  return {.heads = config.heads,
          .kv_heads = config.kv_heads,
          .head_dim = config.head_dim,
          .scale = 1.0f / std::sqrt(second ? config.query_pre_attn_scalar : float(config.head_dim)),
          .softcap = config.attention_softcap};
}

AttentionShape LanguageModel::attention_shape() const {
  AttentionShape shape = attention_shape_of(config_);
  shape.rounded = rounds();
  return shape;
}

void LanguageModel::mlp(const Layer& layer, const MatmulRows& normed, MatrixView mixed, const RowUse& use,
                        const RowAdapters& adapters) const {
  const int width = config_.mlp_width;
  Matrix gate_up(mixed.rows, 2 * width);
  MatmulRows gated = layer.down.rows(mixed.rows, adapters);
  layer.gate_up(normed, gate_up, [&](int row, std::span<float> both) {
    quick_gelu_tanh_gate(both.first(width), both.last(width));
    gated.set(row, both.first(width));
  });
  layer.down(gated, mixed, use);
}

void LanguageModel::forward(MatrixView x, std::span<const Segment> segments, const Observer& observer,
                            int first_asked) const {
  LanguagePass pass(*this, x, {segments.begin(), segments.end()}, observer, first_asked);
  while (pass.advance(kUnboundedOperations)) {
  }
}

}  // namespace palisade
