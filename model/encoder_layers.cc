#include "model/encoder_layers.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "model/attention.h"
#include "model/kernels.h"
#include "model/parallel.h"

namespace palisade {
namespace {

// In the two halves of a layer.
std::array<double, 2> operations_of_row(const EncoderShape& shape, int tokens) {
  const double width = shape.width;
  return {6 * width * width, 4 * width * tokens + 2 * width * (width + 2.0 * shape.mlp_width)};
}

}  // namespace

AttentionShape attention_shape_of(const EncoderShape& shape) {
  const int head_dim = shape.width / shape.heads;
  return {.heads = shape.heads,
          .kv_heads = shape.heads,
          .head_dim = head_dim,
          .scale = 1.0f / std::sqrt(float(head_dim))};
}

void LayerNorm::operator()(ConstMatrixView x, MatrixView out) const {
  parallel_for(x.rows, 8.0 * x.rows * x.cols,
               [&](int row) { layer_norm(x.row(row), scale.row(0), shift.row(0), eps, out.row(row)); });
}

void LayerNorm::operator()(ConstMatrixView x, ProductRows& out) const {
  parallel_for(x.rows, 8.0 * x.rows * x.cols, [&](int row) {
    const auto normed = row_of_thread(x.cols);
    layer_norm(x.row(row), scale.row(0), shift.row(0), eps, normed);
    out.set(row, normed);
  });
}

LayerNorm read_layer_norm(const Checkpoint& checkpoint, const std::string& name, int width, float eps) {
  return {checkpoint.read(name + ".weight", {width}), checkpoint.read(name + ".bias", {width}), eps};
}

Linear read_biased_linear(const Checkpoint& checkpoint, const std::string& name, int outputs, int inputs,
                          Precision precision) {
  const Matrix bias = checkpoint.read(name + ".bias", {outputs});
  return Linear(checkpoint.rows({name + ".weight"}, {outputs}, inputs), bias.row(0), precision);
}

EncoderMlp::EncoderMlp(const Checkpoint& checkpoint, const std::string& name, int width, int mlp_width,
                       Precision precision)
    : in_(read_biased_linear(checkpoint, name + ".fc1", mlp_width, width, precision)),
      out_(read_biased_linear(checkpoint, name + ".fc2", width, mlp_width, precision)) {}

void EncoderMlp::operator()(const ProductRows& x, MatrixView out, const RowUse& use) const {
  Matrix hidden(out.rows, in_.outputs());
  ProductRows opened = out_.rows(out.rows);
  in_(x, hidden, [&](int row, std::span<float> values) {
    quick_gelu_tanh(values);
    opened.set(row, values);
  });
  out_(opened, out, use);
}

EncoderLayers::EncoderLayers(const EncoderShape& shape, const Checkpoint& checkpoint,
                             const std::string& prefix, Precision precision)
    : shape_(shape) {
  for (int index = 0; index < shape.layers; ++index)
    layers_.push_back(read_layer(checkpoint, prefix + std::to_string(index) + ".", precision));
}

EncoderLayers::Layer EncoderLayers::read_layer(const Checkpoint& checkpoint, const std::string& name,
                                               Precision precision) const {
  const int width = shape_.width;
  const std::string q = name + "self_attn.q_proj", k = name + "self_attn.k_proj",
                    v = name + "self_attn.v_proj";
  const WeightRows qkv =
      checkpoint.rows({q + ".weight", k + ".weight", v + ".weight"}, {width, width, width}, width);
  std::vector<float> qkv_bias;
  for (const std::string& part : {q, k, v}) {
    const Matrix bias = checkpoint.read(part + ".bias", {width});
    qkv_bias.insert(qkv_bias.end(), bias.row(0).begin(), bias.row(0).end());
  }
  return {read_layer_norm(checkpoint, name + "layer_norm1", width, shape_.layer_norm_eps),
          Linear(qkv, qkv_bias, precision),
          read_biased_linear(checkpoint, name + "self_attn.out_proj", width, width, precision),
          read_layer_norm(checkpoint, name + "layer_norm2", width, shape_.layer_norm_eps),
          EncoderMlp(checkpoint, name + "mlp", width, shape_.mlp_width, precision)};
}

void EncoderLayers::forward(MatrixView x, int tokens, const Observer& observer,
                            std::string_view observed) const {
  EncoderPass pass(*this, x, tokens, observer, std::string(observed));
  while (pass.advance(kUnboundedOperations)) {
  }
}

EncoderPass::EncoderPass(const EncoderLayers& layers, MatrixView x, int tokens, Observer observer,
                         std::string observed)
    : layers_(layers),
      x_(x),
      tokens_(tokens),
      group_rows_(rows_of_group(x.rows, tokens)),
      rows_apart_((kRowBlock + tokens - 1) / tokens * tokens),
      observer_(std::move(observer)),
      observed_(std::move(observed)),
      qkv_(group_rows_, 3 * x.cols),
      at_(layers.shape_.layers * (x.rows / group_rows_), group_rows_,
          operations_of_row(layers.shape_, tokens)) {}

// Sequences do not see each other, so each layer takes some of them after the others: queries, keys and
// values are read again while they are near.
int EncoderPass::rows_of_group(int rows, int tokens) {
  constexpr int kMostRows = 512;
  int sequences = rows / tokens;
  while (sequences > 1 && (sequences * tokens > kMostRows || rows % (sequences * tokens) != 0)) --sequences;
  return sequences * tokens;
}

EncoderPass::Place EncoderPass::place() const {
  const int groups = x_.rows / group_rows_, group = at_.layer() % groups;
  return {at_.layer() / groups, group * group_rows_, groups - group};
}

void EncoderPass::write_qkv(const EncoderLayers::Layer& layer, ConstMatrixView x, MatrixView qkv) const {
  for_row_blocks(x.rows, [&](int begin, int rows) {
    ProductRows normed = layer.qkv.rows(rows);
    layer.attention_norm(x.row_range(begin, rows), normed);
    layer.qkv(normed, qkv.row_range(begin, rows));
  });
}

// Rows `x`, from `first` on of those whose queries, keys and values are `qkv`.
void EncoderPass::attend_and_mix(const EncoderLayers::Layer& layer, ConstMatrixView qkv, int first,
                                 MatrixView x) const {
  const int width = x.cols, count = x.rows;
  AttentionShape shape = attention_shape_of(layers_.shape_);
  shape.rounded = layer.qkv.rounds() && repays_rounding(shape, tokens_);
  Matrix heads(count, width);
  const int first_sequence = first / tokens_, sequences = (first + count - 1) / tokens_ + 1 - first_sequence;
  parallel_for_large(sequences, 4.0 * count * width * tokens_, [&](int index) {
    const int begin = (first_sequence + index) * tokens_;
    const int from = std::max(first, begin), to = std::min(first + count, begin + tokens_);
    const ConstMatrixView sequence = qkv.row_range(begin, tokens_);
    const KeysAndValues whole{sequence.block(0, tokens_, width, width),
                              sequence.block(0, tokens_, 2 * width, width)};
    attend(shape, sequence.block(from - begin, to - from, 0, width), {&whole, 1}, {.prefix = tokens_},
           heads.view().row_range(from - first, to - from));
  });
  for_row_blocks(count, [&](int begin, int rows) {
    const MatrixView its_x = x.row_range(begin, rows);
    Matrix mixed(rows, width);
    ProductRows normed = layer.mlp.rows(rows);
    const RowUse add_to_x = [&](int row, std::span<float> values) { add(its_x.row(row), values); };
    layer.attention_out(heads.view().row_range(begin, rows), mixed, add_to_x);
    layer.mlp_norm(its_x, normed);
    layer.mlp(normed, mixed, add_to_x);
  });
}

// Whole sequences through one layer.
void EncoderPass::run_layer(const EncoderLayers::Layer& layer, MatrixView x) const {
  Matrix qkv(x.rows, 3 * x.cols);
  write_qkv(layer, x, qkv);
  attend_and_mix(layer, qkv, 0, x);
}

// How many of the next groups go through their layer together within `operations`: as many as give every
// thread the same work.
int EncoderPass::groups_within(double operations) const {
  if (at_.second_half() || at_.first_row() > 0) return 0;
  int groups = int(std::min(operations / at_.operations_of_layer(), double(place().groups_left)));
  while (groups * group_rows_ % (rows_apart_ * team_size()) != 0) --groups;
  return groups;
}

bool EncoderPass::advance(double operations) {
  if (at_.done()) return false;
  const Place at = place();
  const EncoderLayers::Layer& layer = layers_.layers_[at.layer];
  if (const int groups = groups_within(operations); groups > 0) {
    parallel_for(groups * group_rows_ / rows_apart_, groups * at_.operations_of_layer(), [&](int task) {
      run_layer(layer, x_.row_range(at.group + task * rows_apart_, rows_apart_));
    });
    for (int half = 0; half < 2 * groups; ++half) at_.move(group_rows_);
  } else {
    const int first = at_.first_row(), count = at_.rows_within(operations);
    const MatrixView x = x_.row_range(at.group + first, count);
    if (at_.second_half()) {
      attend_and_mix(layer, qkv_, first, x);
    } else {
      write_qkv(layer, x, qkv_.view().row_range(first, count));
    }
    at_.move(count);
  }
  const bool layer_done = at_.done() || place().layer > at.layer;
  if (layer_done && observer_) observer_(observed_ + std::to_string(at.layer), x_);
  return !at_.done();
}

}  // namespace palisade
