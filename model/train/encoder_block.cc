#include "model/train/encoder_block.h"

#include "model/kernels/kernels.h"

namespace palisade {
namespace {

// q, k and v of one sequence are columns of the same rows.
struct SequenceViews {
  MatrixView q, keys, values;
  SequenceViews(MatrixView qkv, int first, int tokens, int width)
      : q(qkv.block(first, tokens, 0, width)),
        keys(qkv.block(first, tokens, width, width)),
        values(qkv.block(first, tokens, 2 * width, width)) {}
};

double attention_work(const EncoderShape& shape, int rows, int tokens) {
  return 4.0 * rows * tokens * shape.width;
}

}  // namespace

void encoder_block(const EncoderShape& shape, const EncoderBlockTensors& weights, int tokens,
                   EncoderBlockActivations& activations, BlockScratch& scratch, MatrixView out) {
  const MatrixView x = activations.x;
  const int rows = x.rows, width = x.cols;
  const AttentionShape attention = attention_shape_of(shape);
  const MatrixView normed = scratch.normed.shaped(rows, width);
  const MatrixView qkv = activations.qkv.shaped(rows, 3 * width);
  layer_norm_rows(weights.attention_norm, shape.layer_norm_eps, x, normed);
  affine(weights.qkv, normed, qkv, scratch.rows);
  const MatrixView heads = activations.heads.shaped(rows, width);
  parallel_for(rows / tokens, attention_work(shape, rows, tokens), [&](int sequence) {
    const SequenceViews views(qkv, sequence * tokens, tokens, width);
    const KeysAndValues seen{views.keys, views.values};
    attend(attention, views.q, {&seen, 1}, {.prefix = tokens}, heads.row_range(sequence * tokens, tokens));
  });
  const MatrixView middle = activations.middle.shaped(rows, width);
  copy_rows(x, middle);
  affine_add(weights.attention_out, heads, middle, scratch.rows);
  layer_norm_rows(weights.mlp_norm, shape.layer_norm_eps, middle, normed);
  const MatrixView hidden = activations.hidden.shaped(rows, shape.mlp_width);
  affine(weights.fc1, normed, hidden, scratch.rows);
  const MatrixView opened = scratch.wide.shaped(rows, shape.mlp_width);
  for_row_ranges(rows, 20.0 * rows * shape.mlp_width, [&](int, int first, int count) {
    for (int row = first; row < first + count; ++row) {
      std::ranges::copy(hidden.row(row), opened.row(row).begin());
      gelu_tanh(opened.row(row));
    }
  });
  copy_rows(middle, out);
  affine_add(weights.fc2, opened, out, scratch.rows);
}

void encoder_block_backward(const EncoderShape& shape, const EncoderBlockTensors& weights,
                            const EncoderBlockTensors& gradients, int tokens,
                            EncoderBlockActivations& activations, BlockScratch& scratch, MatrixView dx) {
  const MatrixView x = activations.x, qkv = activations.qkv, heads = activations.heads;
  const MatrixView middle = activations.middle, hidden = activations.hidden;
  const int rows = x.rows, width = x.cols;
  const float eps = shape.layer_norm_eps;
  const MatrixView normed = scratch.normed.shaped(rows, width);
  const MatrixView dnormed = scratch.mixed.shaped(rows, width);

  const MatrixView dhidden = scratch.wide.shaped(rows, shape.mlp_width);
  affine_input_gradient(weights.fc2, dx, dhidden, scratch.rows);
  for_row_ranges(rows, 30.0 * rows * shape.mlp_width, [&](int, int first, int count) {
    for (int row = first; row < first + count; ++row) gelu_tanh_backward(hidden.row(row), dhidden.row(row));
  });
  affine_weight_gradients(weights.fc2, gradients.fc2, hidden, dx,
                          scratch.rows);  // `hidden` is after gelu now
  layer_norm_rows(weights.mlp_norm, eps, middle, normed);
  affine_weight_gradients(weights.fc1, gradients.fc1, normed, dhidden, scratch.rows);
  affine_input_gradient(weights.fc1, dhidden, dnormed, scratch.rows);
  layer_norm_rows_backward(weights.mlp_norm, gradients.mlp_norm, eps, middle, dnormed, dx, scratch.rows);

  const MatrixView dheads = scratch.dheads.shaped(rows, width);
  affine_weight_gradients(weights.attention_out, gradients.attention_out, heads, dx, scratch.rows);
  affine_input_gradient(weights.attention_out, dx, dheads, scratch.rows);
  const MatrixView dqkv = scratch.dqkv.shaped(rows, 3 * width);
  fill_rows(dqkv, 0);
  const AttentionShape attention = attention_shape_of(shape);
  parallel_for(rows / tokens, 2.5 * attention_work(shape, rows, tokens), [&](int sequence) {
    const SequenceViews views(qkv, sequence * tokens, tokens, width);
    const SequenceViews dviews(dqkv, sequence * tokens, tokens, width);
    const KeysAndValues seen{views.keys, views.values};
    const KeyValueGradients dseen{dviews.keys, dviews.values};
    attend_backward(attention, views.q, {&seen, 1}, {.prefix = tokens},
                    dheads.row_range(sequence * tokens, tokens), {dviews.q, {&dseen, 1}});
  });
  layer_norm_rows(weights.attention_norm, eps, x, normed);
  affine_weight_gradients(weights.qkv, gradients.qkv, normed, dqkv, scratch.rows);
  affine_input_gradient(weights.qkv, dqkv, dnormed, scratch.rows);
  layer_norm_rows_backward(weights.attention_norm, gradients.attention_norm, eps, x, dnormed, dx,
                           scratch.rows);
}

}  // namespace palisade
