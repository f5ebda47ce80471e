#include "model/siglip/encoder_layers.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/format.h"
#include "model/kernels/kernels.h"
#include "model/kernels/row_formats.h"
#include "model/matmul/attention.h"
#include "model/tensor/parallel.h"

namespace palisade {
namespace {

// Heads whose queries, keys and values of a picture stay in the L2 cache.
int heads_together(const EncoderShape& shape) {
  constexpr int kWidth = 144;
  return std::clamp(kWidth / (shape.width / shape.heads), 1, shape.heads);
}

// Rows [first, first + count) of the q, k and v that stand one below the other in `qkv`.
WeightRows some_heads(const WeightRows& qkv, int first, int count) {
  const int width = qkv.rows / 3;
  const auto read_some = [=, read = qkv.read](int at, MatrixView out) {
    for (int part = 0; part < 3; ++part) {
      const int from = std::max(at, part * count), to = std::min(at + out.rows, (part + 1) * count);
      if (from < to) read(part * width + first + from - part * count, out.row_range(from - at, to - from));
    }
  };
  WeightRows some = qkv.part(3 * count, qkv.cols, std::to_string(first), read_some);
  if (first == 0) some.inputs = qkv.inputs;  // the same for all
  return some;
}

// Outputs of fc1 whose values of a block of rows stay in the L2 cache: all, or nearly equal parts
// in whole blocks of a rotation.
int mlp_outputs_together(int mlp_width) {
  constexpr int kMaxOutputs = 2560;
  const int parts = (mlp_width + kMaxOutputs - 1) / kMaxOutputs;
  return rotated_size((mlp_width + parts - 1) / parts);
}

// The first makes queries, keys and values of some heads and attends them, the second mixes rows.
std::array<HalfLayer, 2> halves_of_layer(const EncoderShape& shape, int rows, int tokens) {
  const double width = shape.width;
  const int groups = (shape.heads + heads_together(shape) - 1) / heads_together(shape);
  return {{{groups, rows * (6 * width * width + 4 * width * tokens) / groups},
           {rows, 2 * width * (width + 2.0 * shape.mlp_width)}}};
}

}  // namespace

std::size_t EncoderAdapter::bytes() const {
  std::size_t bytes = 0;
  for (const Layer& layer : layers) {
    bytes += layer.qkv.bytes() + layer.attention_out.bytes() + layer.mlp.in.bytes();
    for (const LowRank& part : layer.mlp.out) bytes += part.bytes();
  }
  return bytes;
}

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

void LayerNorm::operator()(ConstMatrixView x, MatmulRows& out) const {
  parallel_for(x.rows, 8.0 * x.rows * x.cols + out.operations_of_setting(), [&](int row) {
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
    : width_(width), mlp_width_(mlp_width) {
  const WeightRows in = checkpoint.rows({name + ".fc1.weight"}, {mlp_width}, width),
                   out = checkpoint.rows({name + ".fc2.weight"}, {width}, mlp_width);
  const Matrix in_bias = checkpoint.read(name + ".fc1.bias", {mlp_width}),
               out_bias = checkpoint.read(name + ".fc2.bias", {width});
  const int together = mlp_outputs_together(mlp_width);
  for (int first = 0; first < mlp_width; first += together) {
    const int count = std::min(together, mlp_width - first);
    const std::span<const float> bias = first == 0 ? out_bias.row(0) : std::span<const float>();
    parts_.push_back({Linear(some_rows(in, first, count), in_bias.row(0).subspan(first, count), precision),
                      Linear(some_columns(out, first, count), bias, precision)});
  }
}

EncoderMlpAdapter EncoderMlp::adapt(const AdapterTensors& adapter, const std::string& name) const {
  EncoderMlpAdapter adapted;
  const LowRankMatrix* const in = adapter.find(name + ".fc1");
  const LowRankMatrix* const out = adapter.find(name + ".fc2");
  std::vector<std::vector<LowRankOutputs>> parts;
  int first = 0;
  for (const Part& part : parts_) {
    const int count = part.in.outputs();
    parts.push_back({{in, first, count}});
    if (out != nullptr) {
      LowRankMatrix some{Matrix(out->a.rows(), count), Matrix(out->b.rows(), out->b.cols())};
      copy(out->a.view().block(0, out->a.rows(), first, count), some.a);
      copy(out->b, some.b);
      if (first == 0) some.added = out->added;
      const std::vector<LowRankOutputs> all = {{&some, 0, width_}};
      adapted.out.emplace_back(count, std::span(&all, 1), part.in.rounds());
    }
    first += count;
  }
  if (in != nullptr) adapted.in = LowRank(width_, parts, parts_.front().in.rounds());
  return adapted;
}

void EncoderMlp::add_to(const MatmulRows& x, MatrixView out, const EncoderMlpAdapter& adapter) const {
  Matrix mixed(out.rows, out.cols);
  for (std::size_t index = 0; index < parts_.size(); ++index) {
    const Part& part = parts_[index];
    Matrix hidden(out.rows, part.in.outputs());
    MatmulRows opened =
        part.out.rows(out.rows, adapter.out.empty() ? RowAdapters() : rows_of(adapter.out[index], out.rows));
    const auto open = [&](int row, std::span<float> values) {
      quick_gelu_tanh(values);
      opened.set(row, values);
    };
    part.in(x, hidden, open, int(index));
    part.out(opened, mixed, [&](int row, std::span<float> values) { add(out.row(row), values); });
  }
}

EncoderLayers::EncoderLayers(const EncoderShape& shape, const Checkpoint& checkpoint,
                             const std::string& prefix, Precision precision)
    : shape_(shape) {
  for (int index = 0; index < shape.layers; ++index)
    layers_.push_back(read_layer(checkpoint, format("{}{}.", prefix, index), precision));
}

EncoderLayers::Layer EncoderLayers::read_layer(const Checkpoint& checkpoint, const std::string& name,
                                               Precision precision) const {
  const int width = shape_.width;
  const std::string q = name + "self_attn.q_proj", k = name + "self_attn.k_proj",
                    v = name + "self_attn.v_proj";
  const WeightRows qkv =
      checkpoint.rows({q + ".weight", k + ".weight", v + ".weight"}, {width, width, width}, width);
  std::vector<Matrix> biases;
  for (const std::string& part : {q, k, v}) biases.push_back(checkpoint.read(part + ".bias", {width}));
  std::vector<Heads> heads;
  const int head_dim = width / shape_.heads;
  for (int first = 0; first < shape_.heads; first += heads_together(shape_)) {
    const int count = std::min(heads_together(shape_), shape_.heads - first);
    std::vector<float> bias;
    for (const Matrix& part : biases) {
      const auto its = part.row(0).subspan(first * head_dim, count * head_dim);
      bias.insert(bias.end(), its.begin(), its.end());
    }
    heads.push_back(
        {first, count, Linear(some_heads(qkv, first * head_dim, count * head_dim), bias, precision)});
  }
  return {read_layer_norm(checkpoint, name + "layer_norm1", width, shape_.layer_norm_eps), std::move(heads),
          read_biased_linear(checkpoint, name + "self_attn.out_proj", width, width, precision),
          read_layer_norm(checkpoint, name + "layer_norm2", width, shape_.layer_norm_eps),
          EncoderMlp(checkpoint, name + "mlp", width, shape_.mlp_width, precision)};
}

EncoderAdapter EncoderLayers::adapt(const AdapterTensors& adapter, const std::string& prefix) const {
  EncoderAdapter adapted;
  if (!adapter.has_any(prefix)) return adapted;
  const int width = shape_.width, head_dim = width / shape_.heads;
  const bool halves = layers_.front().heads.front().qkv.rounds();
  for (int index = 0; index < shape_.layers; ++index) {
    const std::string name = format("{}{}.", prefix, index), attention = name + "self_attn.";
    const LowRankMatrix* const qkv[] = {adapter.find(attention + "q_proj"),
                                        adapter.find(attention + "k_proj"),
                                        adapter.find(attention + "v_proj")};
    std::vector<std::vector<LowRankOutputs>> heads;
    for (const Heads& some : layers_[index].heads) {
      auto& outputs = heads.emplace_back();
      for (const LowRankMatrix* const matrix : qkv)
        outputs.push_back({matrix, some.first * head_dim, some.count * head_dim});
    }
    const std::vector<LowRankOutputs> out = {{adapter.find(attention + "out_proj"), 0, width}};
    adapted.layers.push_back({LowRank(width, heads, halves), LowRank(width, std::span(&out, 1), halves),
                              layers_[index].mlp.adapt(adapter, name + "mlp")});
  }
  return adapted;
}

void EncoderLayers::forward(MatrixView x, int tokens, const Observer& observer,
                            std::string_view observed) const {
  EncoderPass pass(*this, x, tokens, observer, std::string(observed));
  while (pass.advance(kUnboundedOperations)) {
  }
}

EncoderPass::EncoderPass(const EncoderLayers& layers, MatrixView x, int tokens, Observer observer,
                         std::string observed, const EncoderAdapter* adapter)
    : layers_(layers),
      adapter_(adapter),
      x_(x),
      tokens_(tokens),
      group_rows_(rows_of_group(x.rows, tokens)),
      rows_apart_((kRowBlock + tokens - 1) / tokens * tokens),
      observer_(std::move(observer)),
      observed_(std::move(observed)),
      attended_(group_rows_, x.cols),
      at_(layers.shape_.layers * (x.rows / group_rows_),
          halves_of_layer(layers.shape_, group_rows_, tokens)) {}

// Sequences do not see each other, so each layer takes some of them after the others: what is made of them is
// read again while it is near.
int EncoderPass::rows_of_group(int rows, int tokens) {
  constexpr int kMaxRows = 256;
  int sequences = rows / tokens;
  while (sequences > 1 && (sequences * tokens > kMaxRows || rows % (sequences * tokens) != 0)) --sequences;
  return sequences * tokens;
}

EncoderPass::Place EncoderPass::place() const {
  const int groups = x_.rows / group_rows_, group = at_.layer() % groups;
  return {at_.layer() / groups, group * group_rows_, groups - group};
}

MatmulRows EncoderPass::norm(int index, ConstMatrixView x) const {
  const EncoderLayers::Layer& layer = layers_.layers_[index];
  MatmulRows normed = layer.heads.front().qkv.rows(x.rows, rows_of(adapter(index).qkv, x.rows));
  layer.attention_norm(x, normed);
  return normed;
}

// Whole sequences, `normed`, to their heads' columns of `out`.
void EncoderPass::attend(int layer, int group, const MatmulRows& normed, MatrixView out) const {
  const EncoderLayers::Heads& heads = layers_.layers_[layer].heads[group];
  AttentionShape shape = attention_shape_of(layers_.shape_);
  shape.heads = shape.kv_heads = heads.count;
  shape.rounded = heads.qkv.rounds() && repays_rounding(shape, tokens_);
  const int width = heads.count * shape.head_dim;
  Matrix qkv(out.rows, 3 * width);
  heads.qkv(normed, qkv, {}, group);
  parallel_for_large(out.rows / tokens_, 4.0 * out.rows * width * tokens_, [&](int index) {
    const ConstMatrixView sequence = qkv.view().row_range(index * tokens_, tokens_);
    const KeysAndValues whole{sequence.block(0, tokens_, width, width),
                              sequence.block(0, tokens_, 2 * width, width)};
    palisade::attend(shape, sequence.block(0, tokens_, 0, width), {&whole, 1}, {.prefix = tokens_},
                     out.block(index * tokens_, tokens_, heads.first * shape.head_dim, width));
  });
}

void EncoderPass::mix(int index, ConstMatrixView attended, MatrixView x) const {
  const EncoderLayers::Layer& layer = layers_.layers_[index];
  const EncoderAdapter::Layer& added = adapter(index);
  for_row_blocks(x.rows, [&](int begin, int rows) {
    const MatrixView its_x = x.row_range(begin, rows);
    {
      Matrix mixed(rows, x.cols);
      const auto add_to_x = [&](int row, std::span<float> values) { add(its_x.row(row), values); };
      layer.attention_out(attended.row_range(begin, rows), mixed, add_to_x,
                          rows_of(added.attention_out, rows));
    }
    MatmulRows normed = layer.mlp.rows(rows, added.mlp);
    layer.mlp_norm(its_x, normed);
    layer.mlp.add_to(normed, its_x, added.mlp);
  });
}

// Whole sequences through one layer.
void EncoderPass::run_layer(int layer, MatrixView x) const {
  Matrix attended(x.rows, x.cols);
  const MatmulRows normed = norm(layer, x);
  for (int heads = 0; heads < int(layers_.layers_[layer].heads.size()); ++heads)
    attend(layer, heads, normed, attended);
  mix(layer, attended, x);
}

// How many of the next groups go through their layer together within `operations`: as many as give every
// thread the same work.
int EncoderPass::groups_within(double operations) const {
  if (at_.second_half() || at_.unit() > 0) return 0;
  int groups = int(std::min(operations / at_.operations_of_layer(), double(place().groups_left)));
  while (groups * group_rows_ % (rows_apart_ * thread_pool_size()) != 0) --groups;
  return groups;
}

bool EncoderPass::advance(double operations) {
  if (at_.done()) return false;
  const Place at = place();
  if (const int groups = groups_within(operations); groups > 0) {
    parallel_for(groups * group_rows_ / rows_apart_, groups * at_.operations_of_layer(), [&](int task) {
      run_layer(at.layer, x_.row_range(at.group + task * rows_apart_, rows_apart_));
    });
    for (int half = 0; half < 2 * groups; ++half) at_.move(at_.units_left());
  } else if (at_.second_half()) {
    const int first = at_.unit(), count = at_.rows_within(operations);
    mix(at.layer, attended_.view().row_range(first, count), x_.row_range(at.group + first, count));
    at_.move(count);
  } else {
    const int first = at_.unit(), count = at_.units_within(operations);
    if (first == 0) normed_ = norm(at.layer, x_.row_range(at.group, group_rows_));
    parallel_for_large(count, count * at_.operations_of_unit(),
                       [&](int index) { attend(at.layer, first + index, *normed_, attended_); });
    at_.move(count);
  }
  const bool layer_done = at_.done() || place().layer > at.layer;
  if (layer_done && observer_) observer_(format("{}{}", observed_, at.layer), x_);
  return !at_.done();
}

}  // namespace palisade
