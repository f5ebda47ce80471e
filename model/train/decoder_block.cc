#include "model/train/decoder_block.h"

#include <algorithm>
#include <vector>

#include "model/gemma/language_model.h"
#include "model/kernels/kernels.h"

namespace palisade {
namespace {

// The rows that stand before a sequence's own; null: none.
const SequenceRows* shared_rows(std::span<const SequenceRows> sequences, std::size_t index) {
  const int back = sequences[index].shared;
  return back == 0 ? nullptr : &sequences[index - std::size_t(back)];
}

// task(index) for all sequences, side by side, but one after the other where they share rows, whose gradients
// they add to. `work`: see parallel_for, for each pair of a row and a row that it sees.
template <typename Task>
void for_sequences(std::span<const SequenceRows> sequences, double work, const Task& task) {
  std::vector<std::size_t> starts;
  double pairs = 0;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const SequenceRows* const shared = shared_rows(sequences, i);
    if (!shared) starts.push_back(i);
    pairs += double(sequences[i].rows) * (sequences[i].rows + (shared ? shared->rows : 0));
  }
  starts.push_back(sequences.size());
  parallel_for(int(starts.size()) - 1, work * pairs, [&](int group) {
    for (std::size_t i = starts[std::size_t(group)]; i < starts[std::size_t(group) + 1]; ++i) task(i);
  });
}

// The rows that a sequence sees, of all rows' keys and values [rows, keys | values]: KeysAndValues, or their
// gradients.
template <typename Part>
std::vector<Part> seen_rows(MatrixView kv, std::span<const SequenceRows> sequences, std::size_t index) {
  std::vector<Part> parts;
  const auto see = [&](const SequenceRows& seen) {
    parts.push_back({kv.block(seen.first, seen.rows, 0, kv.cols / 2),
                     kv.block(seen.first, seen.rows, kv.cols / 2, kv.cols / 2)});
  };
  if (const SequenceRows* const shared = shared_rows(sequences, index)) see(*shared);
  see(sequences[index]);
  return parts;
}

// Rows of a sequence that go on from attention, and where they stand among those of all sequences.
struct GoingOn {
  int first, count, place;
};

GoingOn going_on(const SequenceRows& sequence, bool asked_alone) {
  if (!asked_alone) return {sequence.first, sequence.rows, sequence.first};
  return {sequence.first + sequence.rows - sequence.asked, sequence.asked, sequence.first_asked};
}

// What they see.
Visibility visibility_of(std::span<const SequenceRows> sequences, std::size_t index, const GoingOn& queries) {
  const SequenceRows* const shared = shared_rows(sequences, index);
  const int before = shared ? shared->rows : 0;
  return {.first = before + queries.first - sequences[index].first,
          .prefix = before + sequences[index].prefix};
}

// Rows of x that go on.
void gather(const DecoderPass& pass, ConstMatrixView x, MatrixView rows) {
  if (rows.rows == x.rows) return copy_rows(x, rows);
  for (const SequenceRows& sequence : pass.sequences) {
    const GoingOn its = going_on(sequence, true);
    copy_rows(x.row_range(its.first, its.count), rows.row_range(its.place, its.count));
  }
}

// Their gradient is the gradient of x, which is 0 elsewhere.
void scatter(const DecoderPass& pass, ConstMatrixView drows, MatrixView dx) {
  if (drows.rows == dx.rows) return;
  fill_rows(dx, 0);
  for (const SequenceRows& sequence : pass.sequences) {
    const GoingOn its = going_on(sequence, true);
    copy_rows(drows.row_range(its.place, its.count), dx.row_range(its.first, its.count));
  }
}

// Each block drops in two places.
int dropout_place(int layer, bool mlp) {
  return 2 * layer + int(mlp);
}

// Every row's heads turned by the angles of its position in its sequence, or back.
template <typename Turn>
void for_positions(const DecoderPass& pass, double work, const Turn& turn) {
  parallel_for(int(pass.sequences.size()), work, [&](int index) {
    const SequenceRows& sequence = pass.sequences[std::size_t(index)];
    const SequenceRows* const shared = shared_rows(pass.sequences, std::size_t(index));
    const int first = shared ? shared->rows : 0;
    for (int row = 0; row < sequence.rows; ++row) turn(sequence.first + row, first + row);
  });
}

void rotate_heads(std::span<float> heads, int head_dim, std::span<const float> cosine,
                  std::span<const float> sine) {
  for (std::size_t at = 0; at < heads.size(); at += std::size_t(head_dim)) {
    const auto head = heads.subspan(at, std::size_t(head_dim));
    rotate_halves(head, cosine, sine, head);
  }
}

// qkv [rows, q | k | v] -> q and kv, turned.
void split_and_rotate(const DecoderPass& pass, MatrixView qkv, MatrixView q, MatrixView kv) {
  for_positions(pass, 6.0 * qkv.rows * qkv.cols, [&](int row, int position) {
    const auto in = qkv.row(row);
    std::copy_n(in.begin(), q.cols, q.row(row).begin());
    std::copy_n(in.begin() + q.cols, kv.cols, kv.row(row).begin());
    const auto cosine = pass.rotary.cosines.row(position), sine = pass.rotary.sines.row(position);
    rotate_heads(q.row(row), pass.config.head_dim, cosine, sine);
    rotate_heads(kv.row(row).first(std::size_t(kv.cols) / 2), pass.config.head_dim, cosine, sine);
  });
}

void rotate_back_and_join(const DecoderPass& pass, ConstMatrixView dq, ConstMatrixView dkv, MatrixView dqkv) {
  const int half = pass.config.head_dim / 2;
  for_positions(pass, 6.0 * dqkv.rows * dqkv.cols, [&](int row, int position) {
    const auto out = dqkv.row(row);
    std::ranges::copy(dq.row(row), out.begin());
    std::ranges::copy(dkv.row(row), out.begin() + dq.cols);
    const auto cosine = pass.rotary.cosines.row(position);
    const auto back = pass.rotary.negated_sines.row(position);
    rotate_heads(out.first(std::size_t(dq.cols + dkv.cols / 2)), 2 * half, cosine, back);
  });
}

// What attention or MLP gave becomes part of the residual stream: x += dropout(norm(branch)).
struct Branch {
  const DecoderPass& pass;
  ConstMatrixView norm;  // Gemma 2's; without data in Gemma 1
  int place;

  bool plain() const { return !norm.data && pass.dropout.rate <= 0; }

  void add_to(MatrixView x, ConstMatrixView given, MatrixView scratch) const {
    if (norm.data) {
      rms_norm_rows(norm, pass.config.rms_norm_eps, given, scratch, pass.scratch.rows);
    } else {
      copy_rows(given, scratch);
    }
    pass.dropout.apply(scratch, place);
    add_rows(x, scratch);
  }

  // The gradient of `given`: dx itself, or in `scratch`.
  ConstMatrixView backward(MatrixView norm_gradient, ConstMatrixView given, ConstMatrixView dx,
                           Buffer& dropped, Buffer& target) const {
    if (plain()) return dx;
    const MatrixView dy = dropped.shaped(dx.rows, dx.cols);
    copy_rows(dx, dy);
    pass.dropout.apply(dy, place);
    if (!norm.data) return dy;
    const MatrixView dgiven = target.shaped(dx.rows, dx.cols);
    fill_rows(dgiven, 0);
    rms_norm_rows_backward(norm, norm_gradient, pass.config.rms_norm_eps, given, dy, dgiven,
                           pass.scratch.rows);
    return dgiven;
  }
};

}  // namespace

void decoder_block(const DecoderPass& pass, int layer, const DecoderBlockTensors& weights,
                   DecoderBlockActivations& activations, MatrixView out) {
  const TextConfig& config = pass.config;
  BlockScratch& scratch = pass.scratch;
  const MatrixView x = activations.x;
  const int rows = x.rows, width = x.cols, mlp_width = config.mlp_width;
  const int q_width = config.heads * config.head_dim, kv_width = config.kv_heads * config.head_dim;
  const float eps = config.rms_norm_eps;
  const bool asked_alone = out.rows != rows;
  MatrixView normed = scratch.normed.shaped(rows, width);
  const MatrixView qkv = scratch.dqkv.shaped(rows, q_width + 2 * kv_width);
  rms_norm_rows(weights.attention_norm, eps, x, normed, scratch.rows);
  affine(weights.qkv, normed, qkv, scratch.rows);
  const MatrixView q = activations.q.shaped(rows, q_width), kv = activations.kv.shaped(rows, 2 * kv_width);
  split_and_rotate(pass, qkv, q, kv);
  const MatrixView heads = activations.heads.shaped(out.rows, q_width);
  const AttentionShape attention = attention_shape_of(config);
  for_sequences(pass.sequences, 4.0 * q_width, [&](std::size_t index) {
    const GoingOn its = going_on(pass.sequences[index], asked_alone);
    if (its.count == 0) return;
    attend(attention, q.row_range(its.first, its.count), seen_rows<KeysAndValues>(kv, pass.sequences, index),
           visibility_of(pass.sequences, index, its), heads.row_range(its.place, its.count));
  });

  const MatrixView middle = activations.middle.shaped(out.rows, width);
  gather(pass, x, middle);
  normed = scratch.normed.shaped(out.rows, width);
  const Branch after_attention{pass, weights.post_attention_norm, dropout_place(layer, false)};
  if (after_attention.plain()) {
    affine_add(weights.attention_out, heads, middle, scratch.rows);
  } else {
    const MatrixView mix = activations.attention_mix.shaped(out.rows, width);
    affine(weights.attention_out, heads, mix, scratch.rows);
    after_attention.add_to(middle, mix, normed);
  }
  rms_norm_rows(weights.mlp_norm, eps, middle, normed, scratch.rows);
  const MatrixView gate_up = activations.gate_up.shaped(out.rows, 2 * mlp_width);
  affine(weights.gate_up, normed, gate_up, scratch.rows);
  const MatrixView gated = scratch.wide.shaped(out.rows, mlp_width);
  for_row_ranges(out.rows, 20.0 * out.rows * mlp_width, [&](int, int first, int count) {
    for (int row = first; row < first + count; ++row) {
      const auto both = gate_up.row(row);
      gelu_tanh_gate(both.first(std::size_t(mlp_width)), both.last(std::size_t(mlp_width)), gated.row(row));
    }
  });
  copy_rows(middle, out);
  const Branch after_mlp{pass, weights.post_mlp_norm, dropout_place(layer, true)};
  if (after_mlp.plain()) {
    affine_add(weights.down, gated, out, scratch.rows);
  } else {
    const MatrixView mix = activations.mlp_mix.shaped(out.rows, width);
    affine(weights.down, gated, mix, scratch.rows);
    after_mlp.add_to(out, mix, normed);
  }
}

void decoder_block_backward(const DecoderPass& pass, int layer, const DecoderBlockTensors& weights,
                            const DecoderBlockTensors& gradients, DecoderBlockActivations& activations,
                            MatrixView dout, MatrixView dx) {
  const TextConfig& config = pass.config;
  BlockScratch& scratch = pass.scratch;
  const MatrixView x = activations.x, q = activations.q, kv = activations.kv, heads = activations.heads;
  const MatrixView middle = activations.middle, gate_up = activations.gate_up;
  const int rows = dout.rows, width = x.cols, mlp_width = config.mlp_width;
  const float eps = config.rms_norm_eps;
  const bool asked_alone = rows != x.rows;
  MatrixView normed = scratch.normed.shaped(rows, width);
  MatrixView dnormed = scratch.mixed.shaped(rows, width);

  const Branch after_mlp{pass, weights.post_mlp_norm, dropout_place(layer, true)};
  const ConstMatrixView dmlp =
      after_mlp.backward(gradients.post_mlp_norm, activations.mlp_mix, dout, scratch.normed, scratch.mixed);
  const MatrixView dgated = scratch.wide.shaped(rows, mlp_width);
  affine_input_gradient(weights.down, dmlp, dgated, scratch.rows);
  for_row_ranges(rows, 30.0 * rows * mlp_width, [&](int, int first, int count) {
    for (int row = first; row < first + count; ++row) {
      const auto both = gate_up.row(row);
      gelu_tanh_gate_backward(both.first(std::size_t(mlp_width)), both.last(std::size_t(mlp_width)),
                              dgated.row(row));
    }
  });
  affine_weight_gradients(weights.down, gradients.down, dgated, dmlp,
                          scratch.rows);  // `dgated` is what `down` read now
  // `gate_up` is its gradient now
  if (reads_input(gradients.gate_up)) {
    rms_norm_rows(weights.mlp_norm, eps, middle, normed, scratch.rows);
    affine_weight_gradients(weights.gate_up, gradients.gate_up, normed, gate_up, scratch.rows);
  }
  affine_input_gradient(weights.gate_up, gate_up, dnormed, scratch.rows);
  rms_norm_rows_backward(weights.mlp_norm, gradients.mlp_norm, eps, middle, dnormed, dout, scratch.rows);

  const Branch after_attention{pass, weights.post_attention_norm, dropout_place(layer, false)};
  const ConstMatrixView dmix = after_attention.backward(
      gradients.post_attention_norm, activations.attention_mix, dout, scratch.normed, scratch.mixed);
  affine_weight_gradients(weights.attention_out, gradients.attention_out, heads, dmix, scratch.rows);
  const MatrixView dheads = scratch.dheads.shaped(rows, q.cols);
  affine_input_gradient(weights.attention_out, dmix, dheads, scratch.rows);
  const MatrixView dkv = scratch.dkv.shaped(x.rows, kv.cols);
  fill_rows(dkv, 0);
  const AttentionShape attention = attention_shape_of(config);
  for_sequences(pass.sequences, 10.0 * q.cols, [&](std::size_t index) {
    const SequenceRows& sequence = pass.sequences[index];
    const GoingOn its = going_on(sequence, asked_alone);
    const MatrixView own_q = q.row_range(its.first, its.count);
    if (its.count > 0) {
      attend_backward(attention, own_q, seen_rows<KeysAndValues>(kv, pass.sequences, index),
                      visibility_of(pass.sequences, index, its), dheads.row_range(its.place, its.count),
                      {own_q, seen_rows<KeyValueGradients>(dkv, pass.sequences, index)});
    }
    fill_rows(q.row_range(sequence.first, its.first - sequence.first), 0);
  });
  scatter(pass, dout, dx);
  normed = scratch.normed.shaped(x.rows, width);
  dnormed = scratch.mixed.shaped(x.rows, width);
  const MatrixView dqkv = scratch.dqkv.shaped(x.rows, q.cols + kv.cols);
  rotate_back_and_join(pass, q, dkv, dqkv);  // `q` is its gradient now
  if (reads_input(gradients.qkv)) {
    rms_norm_rows(weights.attention_norm, eps, x, normed, scratch.rows);
    affine_weight_gradients(weights.qkv, gradients.qkv, normed, dqkv, scratch.rows);
  }
  affine_input_gradient(weights.qkv, dqkv, dnormed, scratch.rows);
  rms_norm_rows_backward(weights.attention_norm, gradients.attention_norm, eps, x, dnormed, dx, scratch.rows);
}

}  // namespace palisade
