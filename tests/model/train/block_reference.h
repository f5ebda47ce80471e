#pragma once

#include <cmath>

#include "model/train/decoder_block.h"
#include "model/train/encoder_block.h"
#include "tests/model/reference.h"

// The forward pass of both towers' blocks in f64. Training is compared with it, and its gradients with
// difference quotients of it.
namespace palisade::reference {

inline Rows affine(const Rows& x, const Affine& layer) {
  const Rows matmul = x * rows_of(layer.weight).transpose();
  return layer.bias.data ? Rows(matmul.rowwise() + rows_of(layer.bias).row(0)) : matmul;
}

inline Rows layer_norm(const Rows& x, const LayerNormTensors& norm, double eps) {
  return layer_norm(x, rows_of(norm.scale), rows_of(norm.shift), eps);
}

inline Rows encoder_block(const EncoderShape& shape, const EncoderBlockTensors& weights, int tokens,
                          const Rows& x) {
  const int width = shape.width, dim = width / shape.heads;
  const AttentionShape sharing{shape.heads, shape.heads, dim, 1 / std::sqrt(float(dim))};
  const Rows qkv = affine(layer_norm(x, weights.attention_norm, shape.layer_norm_eps), weights.qkv);
  Rows heads(x.rows(), width);
  for (int first = 0; first < x.rows(); first += tokens) {
    const auto own = qkv.middleRows(first, tokens);
    heads.middleRows(first, tokens) = attention(sharing, own.leftCols(width), own.middleCols(width, width),
                                                own.rightCols(width), {.prefix = tokens});
  }
  const Rows middle = x + affine(heads, weights.attention_out);
  const Rows normed = layer_norm(middle, weights.mlp_norm, shape.layer_norm_eps);
  return middle + affine(gelu(affine(normed, weights.fc1)), weights.fc2);
}

// RoPE: rotates pair i of each head by (position + 1) / theta^(2i / dim).
template <typename Heads>
void turn(Heads heads, int dim, double theta, int position) {
  for (int at = 0; at < heads.cols(); at += dim) {
    for (int i = at; i < at + dim / 2; ++i) {
      const double angle = (position + 1) / std::pow(theta, 2.0 * (i - at) / dim);
      const double first = heads[i], second = heads[i + dim / 2];
      heads[i] = first * std::cos(angle) - second * std::sin(angle);
      heads[i + dim / 2] = second * std::cos(angle) + first * std::sin(angle);
    }
  }
}

inline Rows decoder_block(const DecoderPass& pass, int layer, const DecoderBlockTensors& weights,
                          const Rows& x) {
  const TextConfig& config = pass.config;
  const int dim = config.head_dim, q_width = config.heads * dim, kv_width = config.kv_heads * dim;
  const double eps = config.rms_norm_eps;
  const auto norm = [&](const Rows& rows, MatrixView weight) { return rms_norm(rows, rows_of(weight), eps); };
  // The result that is added to the residual stream.
  const auto branch = [&](const Rows& given, MatrixView post_norm, int place) -> Rows {
    Matrix kept(int(given.rows()), int(given.cols()));
    array_of(kept.view()) = 1;
    pass.dropout.apply(kept, place);
    return (post_norm.data ? norm(given, post_norm) : given).cwiseProduct(rows_of(kept));
  };
  Rows qkv = affine(norm(x, weights.attention_norm), weights.qkv), heads(x.rows(), q_width);
  const bool second = config.architecture == TextArchitecture::kGemma2;
  const AttentionShape sharing{config.heads, config.kv_heads, dim,
                               1 / std::sqrt(second ? config.query_pre_attn_scalar : float(dim)),
                               config.attention_softcap};
  for (std::size_t i = 0; i < pass.sequences.size(); ++i) {
    const SequenceRows& own = pass.sequences[i];
    const SequenceRows before = own.shared ? pass.sequences[i - std::size_t(own.shared)] : SequenceRows{};
    for (int row = 0; row < own.rows; ++row)
      turn(qkv.row(own.first + row).head(q_width + kv_width), dim, config.rope_theta, before.rows + row);
    Rows seen(before.rows + own.rows, qkv.cols());
    seen << qkv.middleRows(before.first, before.rows), qkv.middleRows(own.first, own.rows);
    heads.middleRows(own.first, own.rows) =
        attention(sharing, seen.bottomLeftCorner(own.rows, q_width), seen.middleCols(q_width, kv_width),
                  seen.rightCols(kv_width), {.first = before.rows, .prefix = before.rows + own.prefix});
  }
  const Rows middle =
      x + branch(affine(heads, weights.attention_out), weights.post_attention_norm, 2 * layer);
  const Rows gate_up = affine(norm(middle, weights.mlp_norm), weights.gate_up);
  const Rows gated =
      gelu(gate_up.leftCols(config.mlp_width)).cwiseProduct(gate_up.rightCols(config.mlp_width));
  return middle + branch(affine(gated, weights.down), weights.post_mlp_norm, 2 * layer + 1);
}

}  // namespace palisade::reference
