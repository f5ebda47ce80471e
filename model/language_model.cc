#include "model/language_model.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "model/attention.h"
#include "model/error.h"
#include "model/kernels.h"
#include "model/parallel.h"

namespace palisade {
namespace {

const std::string kModel = "language_model.model.";
const std::string kEmbedding = kModel + "embed_tokens.weight";
const std::string kHead = "language_model.lm_head.weight";

Matrix read_norm(const Checkpoint& checkpoint, const std::string& name, int width) {
  Matrix scale = checkpoint.read(name + ".weight", {width});
  for (float& w : scale.row(0)) w += 1.0f;
  return scale;
}

Linear read_linear(const Checkpoint& checkpoint, const std::string& name, int outputs, int inputs,
                   Precision precision) {
  return Linear(checkpoint.rows({name + ".weight"}, {outputs}, inputs), {}, precision);
}

// The tokens of the kRefined largest logits: a heap whose front is the least of them.
std::vector<TokenId> best_of(std::span<const float> logits) {
  constexpr std::size_t kRefined = 64;
  std::vector<TokenId> best;
  const auto larger = [&](TokenId a, TokenId b) { return logits[a] > logits[b]; };
  for (std::size_t id = 0; id < logits.size(); ++id) {
    if (best.size() == kRefined) {
      if (!(logits[id] > logits[best.front()])) continue;
      std::ranges::pop_heap(best, larger);
      best.pop_back();
    }
    best.push_back(TokenId(id));
    std::ranges::push_heap(best, larger);
  }
  return best;
}

}  // namespace

LanguageModel::LanguageModel(const TextConfig& config, const Checkpoint& checkpoint, SlidingWindow window,
                             Precision precision)
    : config_(config),
      window_(window),
      embedding_(checkpoint.rows({kEmbedding}, {config.vocabulary}, config.width), precision),
      // Tied; a file that stores the head beside the embedding is taken at its word.
      head_(checkpoint.rows({checkpoint.has(kHead) ? kHead : kEmbedding}, {config.vocabulary}, config.width),
            {}, precision),
      refines_best_(precision == Precision::kInt8 && !getenv("PAL_NOHEAD") && !checkpoint.has(kHead)),
      final_norm_(read_norm(checkpoint, kModel + "norm", config.width)) {
  for (int index = 0; index < config.layers; ++index)
    layers_.push_back(read_layer(checkpoint, index, precision));
  const int half = config.head_dim / 2;
  for (int i = 0; i < half; ++i) {
    inverse_frequencies_.push_back(1.0f / std::pow(config.rope_theta, float(2 * i) / float(config.head_dim)));
  }
}

LanguageModel::Layer LanguageModel::read_layer(const Checkpoint& checkpoint, int index,
                                               Precision precision) const {
  const int width = config_.width, mlp_width = config_.mlp_width;
  const int q_width = config_.heads * config_.head_dim, kv_width = config_.kv_heads * config_.head_dim;
  const std::string name = kModel + "layers." + std::to_string(index) + ".";
  const std::string attention = name + "self_attn.";
  const bool second = config_.architecture == TextArchitecture::kGemma2;
  const Precision attention_precision = precision == Precision::kInt8 && getenv("PAL_ATT") && index < atoi(getenv("PAL_ATT")) ? Precision::kBf16 : precision;
  Layer layer{
      .attention_norm = read_norm(checkpoint, name + "input_layernorm", width),
      .qkv = Linear(checkpoint.rows({attention + "q_proj.weight", attention + "k_proj.weight",
                                     attention + "v_proj.weight"},
                                    {q_width, kv_width, kv_width}, width),
                    {}, attention_precision),
      .attention_out = read_linear(checkpoint, attention + "o_proj", width, q_width, attention_precision),
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
  const float factor = std::sqrt(float(config_.width));
  for (int row = 0; row < out.rows; ++row) {
    const TokenId id = ids[row];
    if (id < 0 || id >= config_.vocabulary)
      throw ModelError("token " + std::to_string(id) + " is not in the vocabulary");
    embedding_.copy(id, out.row(row));
    scale(out.row(row), factor);
  }
}

void LanguageModel::logits(ConstMatrixView hidden, MatrixView out) const {
  head_(hidden, out);
  if (!refines_best_) return;
  parallel_for(out.rows, 2.0 * out.rows * out.cols, [&](int row) {
    for (const TokenId id : best_of(out.row(row))) out.row(row)[id] = embedding_.dot(id, hidden.row(row));
  });
}

void LanguageModel::norm(ConstMatrixView x, const Matrix& scale_of, MatrixView out) const {
  parallel_for(x.rows, 8.0 * x.rows * x.cols,
               [&](int row) { rms_norm(x.row(row), scale_of.row(0), config_.rms_norm_eps, out.row(row)); });
}

// Cosines and sines, which all heads turn by in all layers. transformers counts positions from 1.
void LanguageModel::rope_angles(int position, std::span<float> out) const {
  const int half = config_.head_dim / 2;
  for (int i = 0; i < half; ++i) {
    const float angle = float(position + 1) * inverse_frequencies_[i];
    out[i] = std::cos(angle);
    out[half + i] = std::sin(angle);
  }
}

void LanguageModel::rotate(MatrixView heads, std::span<const float> angles) {
  const std::size_t half = angles.size() / 2;
  for (int head = 0; head < heads.rows; ++head)
    rotate_halves(heads.row(head), angles.first(half), angles.last(half));
}

AttentionShape LanguageModel::attention_shape() const {
  const bool second = config_.architecture == TextArchitecture::kGemma2;
  return {.heads = config_.heads,
          .kv_heads = config_.kv_heads,
          .head_dim = config_.head_dim,
          .scale = 1.0f / std::sqrt(second ? config_.query_pre_attn_scalar : float(config_.head_dim)),
          .softcap = config_.attention_softcap,
          .halves = layers_.front().qkv.takes_halves()};
}

void LanguageModel::mlp(const Layer& layer, ConstMatrixView normed, MatrixView mixed) const {
  const int width = config_.mlp_width;
  Matrix gate_up(normed.rows, 2 * width), gated(normed.rows, width);
  layer.gate_up(normed, gate_up);
  parallel_for(normed.rows, 20.0 * gated.size(), [&](int row) {
    const auto both = gate_up.row(row);
    gelu_tanh_gate(both.first(width), both.last(width), gated.row(row));
  });
  layer.down(gated, mixed);
}

void LanguageModel::forward(MatrixView x, std::span<const Segment> segments, const Observer& observer) const {
  LanguagePass pass(*this, x, {segments.begin(), segments.end()}, observer);
  while (pass.advance(kUnboundedOperations)) {
  }
}

}  // namespace palisade
