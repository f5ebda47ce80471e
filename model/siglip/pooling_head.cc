#include "model/siglip/pooling_head.h"

#include <cmath>

#include "model/kernels/kernels.h"
#include "model/matmul/attention.h"

namespace palisade {
namespace {

// Rows [first, first + count) of the stacked q, k, v projection.
Linear read_projection(const Checkpoint& checkpoint, const std::string& name, int width, int first,
                       int count) {
  const Matrix weight = checkpoint.read(name + "in_proj_weight", {3 * width, width});
  const Matrix bias = checkpoint.read(name + "in_proj_bias", {3 * width});
  return Linear(weight.view().row_range(first, count), bias.row(0).subspan(first, count), Precision::kF32);
}

}  // namespace

PoolingHead::PoolingHead(const EncoderShape& shape, const Checkpoint& checkpoint, const std::string& prefix)
    : shape_(shape),
      query_(1, shape.width),
      keys_values_(
          read_projection(checkpoint, prefix + "attention.", shape.width, shape.width, 2 * shape.width)),
      attention_out_(read_biased_linear(checkpoint, prefix + "attention.out_proj", shape.width, shape.width,
                                        Precision::kF32)),
      norm_(read_layer_norm(checkpoint, prefix + "layernorm", shape.width, shape.layer_norm_eps)),
      mlp_(checkpoint, prefix + "mlp", shape.width, shape.mlp_width, Precision::kF32) {
  const Matrix probe = checkpoint.read(prefix + "probe", {1, 1, shape.width});
  read_projection(checkpoint, prefix + "attention.", shape.width, 0, shape.width)(probe, query_);
}

Matrix PoolingHead::forward(ConstMatrixView x, int tokens) const {
  const int width = shape_.width, images = x.rows / tokens, head_dim = width / shape_.heads;
  Matrix keys_values(x.rows, 2 * width);  // [images * tokens, k | v]
  keys_values_(x, keys_values);
  const AttentionShape shape{.heads = shape_.heads,
                             .kv_heads = shape_.heads,
                             .head_dim = head_dim,
                             .scale = 1.0f / std::sqrt(float(head_dim))};
  Matrix heads(images, width), pooled(images, width);
  for (int image = 0; image < images; ++image) {
    const ConstMatrixView rows = keys_values.view().row_range(image * tokens, tokens);
    const KeysAndValues whole{rows.block(0, tokens, 0, width), rows.block(0, tokens, width, width)};
    attend(shape, query_, {&whole, 1}, {.prefix = tokens}, heads.view().row_range(image, 1));
  }
  attention_out_(heads, pooled);
  MatmulRows normed = mlp_.rows(images);
  norm_(pooled, normed);
  mlp_.add_to(normed, pooled);
  return pooled;
}

}  // namespace palisade
