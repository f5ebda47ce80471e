#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/format.h"
#include "model/gemma/rotary.h"
#include "model/kernels/kernels.h"
#include "model/matmul/attention.h"
#include "model/train/buffer.h"
#include "model/train/decoder_block.h"
#include "model/train/encoder_block.h"
#include "model/train/loss.h"
#include "model/train/row_layers.h"
#include "tests/model/train/block_reference.h"
#include "tests/model/train/differences.h"

using namespace palisade;
using reference::rows_of;

namespace {

constexpr unsigned kSeed = 11;

LayerNormTensors views(Matrix& scale, Matrix& shift) {
  return {scale, shift};
}

}  // namespace

TEST_CASE("norms and matmul have the gradients that differences of an f64 reference give") {
  MESSAGE("seed " << kSeed);
  std::mt19937 random(kSeed);
  const int rows = 21, width = 19, outputs = 7;
  Matrix x = random_matrix(rows, width, random), dx = zeros(rows, width);
  RowScratch scratch;
  {
    Matrix scale = random_matrix(1, width, random), shift = random_matrix(1, width, random);
    Matrix dscale = zeros(1, width), dshift = zeros(1, width), y(rows, width);
    const Matrix weights = random_matrix(rows, width, random);
    const auto expected = [&] { return reference::layer_norm(rows_of(x), views(scale, shift), 1e-6f); };
    const auto loss = [&] { return weighted(expected(), weights); };
    layer_norm_rows(views(scale, shift), 1e-6f, x, y);
    CHECK(reference::largest_difference(rows_of(y), expected()) < 1e-5);
    layer_norm_rows_backward(views(scale, shift), views(dscale, dshift), 1e-6f, x, weights, dx, scratch);
    check_gradient("layer norm x", x, dx, loss);
    check_gradient("layer norm scale", scale, dscale, loss);
    check_gradient("layer norm shift", shift, dshift, loss);
  }
  {
    dx = zeros(rows, width);
    Matrix weight = random_matrix(1, width, random), dweight = zeros(1, width), y(rows, width);
    const Matrix weights = random_matrix(rows, width, random);
    const auto expected = [&] { return reference::rms_norm(rows_of(x), rows_of(weight), 1e-6f); };
    const auto loss = [&] { return weighted(expected(), weights); };
    rms_norm_rows(weight, 1e-6f, x, y, scratch);
    CHECK(reference::largest_difference(rows_of(y), expected()) < 1e-5);
    rms_norm_rows_backward(weight, dweight, 1e-6f, x, weights, dx, scratch);
    check_gradient("rms norm x", x, dx, loss);
    check_gradient("rms norm weight", weight, dweight, loss);
  }
  {
    Matrix weight = random_matrix(outputs, width, random), bias = random_matrix(1, outputs, random);
    Matrix dweight = zeros(outputs, width), dbias = zeros(1, outputs), y(rows, outputs);
    const Matrix weights = random_matrix(rows, outputs, random);
    const Affine layer{weight, bias, {}, {}};
    const auto expected = [&] { return reference::affine(rows_of(x), layer); };
    const auto loss = [&] { return weighted(expected(), weights); };
    affine(layer, x, y, scratch);
    CHECK(reference::largest_difference(rows_of(y), expected()) < 1e-5);
    affine_input_gradient(layer, weights, dx, scratch);
    affine_weight_gradients(layer, {dweight, dbias, {}, {}}, x, weights, scratch);
    check_gradient("affine x", x, dx, loss);
    check_gradient("affine weight", weight, dweight, loss);
    check_gradient("affine bias", bias, dbias, loss);
  }
}

TEST_CASE("the backward of gelu gives its value beside its slope, gated or not") {
  MESSAGE("seed " << kSeed);
  std::mt19937 random(kSeed);
  for (const int size : {1, 15, 16, 17, 100}) {
    Matrix gate = random_matrix(1, size, random, 2), up = random_matrix(1, size, random), y(1, size);
    const Matrix weights = random_matrix(1, size, random);
    const auto gated = [&] {
      return weighted(reference::gelu(rows_of(gate)).cwiseProduct(rows_of(up)), weights);
    };
    Matrix dgate = copy_of(gate), dup = copy_of(up), out = copy_of(weights);
    gelu_tanh_gate_backward(dgate.row(0), dup.row(0), out.row(0));
    check_gradient("gate", gate, dgate, gated);
    check_gradient("up", up, dup, gated);
    gelu_tanh_gate(gate.row(0), up.row(0), y.row(0));
    for (int i = 0; i < size; ++i) CHECK(out.row(0)[i] == doctest::Approx(y.row(0)[i]).epsilon(1e-6));

    const auto plain = [&] { return weighted(reference::gelu(rows_of(gate)), weights); };
    Matrix value = copy_of(gate), slope = copy_of(weights);
    gelu_tanh_backward(value.row(0), slope.row(0));
    check_gradient("gelu", gate, slope, plain);
    std::ranges::copy(gate.row(0), y.row(0).begin());
    gelu_tanh(y.row(0));
    for (int i = 0; i < size; ++i) CHECK(value.row(0)[i] == doctest::Approx(y.row(0)[i]).epsilon(1e-6));
  }
}

TEST_CASE("the slope of gelu stays finite at the ends of f32") {
  std::vector<float> x = {-1e30f, -100.0f, 100.0f, 1e30f}, dy(4, 1.0f);
  gelu_tanh_backward(x, dy);
  CHECK(dy[0] == 0.0f);
  CHECK(dy[1] == 0.0f);
  CHECK(dy[2] == 1.0f);
  CHECK(dy[3] == 1.0f);
}

TEST_CASE("attention has the gradients of its f64 reference, for every sharing of heads, mask and cap") {
  MESSAGE("seed " << kSeed);
  std::mt19937 random(kSeed);
  const int dim = 6, rows = 90;
  for (const auto& [heads, kv_heads] : {std::pair{4, 4}, {4, 2}, {4, 1}, {1, 1}}) {
    for (const Visibility& visibility :
         {Visibility{.prefix = rows}, Visibility{.prefix = rows / 2}, Visibility{.window = 7}}) {
      for (const auto cap : {std::optional<float>(), std::optional(1.5f)}) {
        const AttentionShape shape{heads, kv_heads, dim, 0.4f, cap};
        Matrix q = random_matrix(rows, heads * dim, random),
               keys = random_matrix(rows, kv_heads * dim, random);
        Matrix values = random_matrix(rows, kv_heads * dim, random);
        const Matrix weights = random_matrix(rows, heads * dim, random);
        // In one part or in two.
        for (const int cut : {0, 30}) {
          const auto parts_of = [&](auto* type, MatrixView k, MatrixView v) {
            std::vector<std::remove_pointer_t<decltype(type)>> parts;
            if (cut > 0) parts.push_back({k.row_range(0, cut), v.row_range(0, cut)});
            parts.push_back({k.row_range(cut, rows - cut), v.row_range(cut, rows - cut)});
            return parts;
          };
          const auto seen = parts_of(static_cast<KeysAndValues*>(nullptr), keys, values);
          const auto loss = [&] {
            return weighted(
                reference::attention(shape, rows_of(q), rows_of(keys), rows_of(values), visibility), weights);
          };
          Matrix dq = copy_of(q), dkeys = zeros(rows, kv_heads * dim), dvalues = zeros(rows, kv_heads * dim);
          attend_backward(shape, dq, seen, visibility, weights,
                          {dq, parts_of(static_cast<KeyValueGradients*>(nullptr), dkeys, dvalues)});
          check_gradient("q", q, dq, loss);
          check_gradient("keys", keys, dkeys, loss);
          check_gradient("values", values, dvalues, loss);
        }
      }
    }
  }
}

TEST_CASE("the loss is its f64 reference and has the gradients of it") {
  MESSAGE("seed " << kSeed);
  std::mt19937 random(kSeed);
  const int rows = 5, width = 8, vocabulary = 37;
  for (const float smoothing : {0.0f, 0.1f, 0.3f}) {
    for (const int used : {vocabulary, 30}) {
      Matrix embedding = random_matrix(vocabulary, width, random),
             hidden = random_matrix(rows, width, random);
      std::vector<Target> targets;
      for (int row = 0; row < rows; ++row) targets.push_back({row * 6, 0.1f + 0.1f * float(row)});
      std::vector<TokenLoss> losses(rows);
      Buffer logits;
      // The targets' distributions against the logarithms of softmax. [rows]
      const auto expected = [&]() -> Eigen::ArrayXd {
        reference::Rows wanted = reference::Rows::Constant(rows, used, smoothing / (used - 1));
        for (int row = 0; row < rows; ++row) wanted(row, targets[row].id) = 1 - smoothing;
        const reference::Rows scores = rows_of(hidden) * rows_of(embedding).topRows(used).transpose();
        return -(wanted.array() * reference::softmax(scores).array().log()).rowwise().sum();
      };
      const auto loss = [&] {
        const Eigen::ArrayXd each = expected();
        double sum = 0;
        for (int row = 0; row < rows; ++row) sum += each[row] * targets[row].weight;
        return sum;
      };
      Matrix dhidden = zeros(rows, width), dembedding = zeros(vocabulary, width);
      head_loss({smoothing, used}, embedding, hidden, targets, losses, {dhidden, dembedding}, logits);
      check_gradient("hidden", hidden, dhidden, loss);
      check_gradient("embedding", embedding, dembedding, loss);

      const reference::Rows scores = rows_of(hidden) * rows_of(embedding).topRows(used).transpose();
      for (int row = 0; row < rows; ++row) {
        CHECK(losses[row].likeliest == (scores.row(row).maxCoeff() == scores(row, targets[row].id)));
        CHECK(losses[row].loss == doctest::Approx(expected()[row]).epsilon(1e-5));
      }
    }
  }
}

namespace {

// Builds a block from the tensors that `take` returns one after the other: weights, or their gradients.
struct Tensors {
  std::vector<Matrix> values, gradients;
  std::mt19937& random;

  MatrixView value(int rows, int cols, float deviation) {
    values.push_back(random_matrix(rows, cols, random, deviation));
    gradients.push_back(zeros(rows, cols));
    return values.back();
  }
};

struct EncoderSetup {
  EncoderBlockTensors weights, gradients;
};

void append(Tensors& tensors, MatrixView& weight, MatrixView& gradient, int rows, int cols, float deviation) {
  weight = tensors.value(rows, cols, deviation);
  gradient = tensors.gradients.back();
}

void append(Tensors& tensors, Affine& weight, Affine& gradient, int outputs, int inputs, bool biased) {
  append(tensors, weight.weight, gradient.weight, outputs, inputs, 1.0f / std::sqrt(float(inputs)));
  if (biased) append(tensors, weight.bias, gradient.bias, 1, outputs, 0.3f);
}

void append(Tensors& tensors, LayerNormTensors& weight, LayerNormTensors& gradient, int width) {
  append(tensors, weight.scale, gradient.scale, 1, width, 1);
  append(tensors, weight.shift, gradient.shift, 1, width, 0.3f);
}

}  // namespace

TEST_CASE("a SigLIP block is its f64 reference and has the gradients of it") {
  MESSAGE("seed " << kSeed);
  std::mt19937 random(kSeed);
  const EncoderShape shape{.width = 12, .mlp_width = 20, .layers = 1, .heads = 3};
  const int tokens = 5, rows = 3 * tokens;
  Tensors tensors{{}, {}, random};
  EncoderSetup block;
  append(tensors, block.weights.attention_norm, block.gradients.attention_norm, 12);
  append(tensors, block.weights.qkv, block.gradients.qkv, 36, 12, true);
  append(tensors, block.weights.attention_out, block.gradients.attention_out, 12, 12, true);
  append(tensors, block.weights.mlp_norm, block.gradients.mlp_norm, 12);
  append(tensors, block.weights.fc1, block.gradients.fc1, 20, 12, true);
  append(tensors, block.weights.fc2, block.gradients.fc2, 12, 20, true);
  Matrix x = random_matrix(rows, 12, random), out(rows, 12);
  const Matrix weights = random_matrix(rows, 12, random);
  EncoderBlockActivations activations;
  BlockScratch scratch;
  const auto expected = [&] { return reference::encoder_block(shape, block.weights, tokens, rows_of(x)); };
  const auto loss = [&] { return weighted(expected(), weights); };
  copy_rows(x, activations.x.shaped(rows, 12));
  encoder_block(shape, block.weights, tokens, activations, scratch, out);
  CHECK(reference::largest_difference(rows_of(out), expected()) < 1e-5);
  Matrix dx = copy_of(weights);
  encoder_block_backward(shape, block.weights, block.gradients, tokens, activations, scratch, dx);
  check_gradient("x", x, dx, loss);
  for (std::size_t i = 0; i < tensors.values.size(); ++i)
    check_gradient(format("tensor {}", i), tensors.values[i], tensors.gradients[i], loss);
}

TEST_CASE("a block of Gemma and of Gemma 2 is its f64 reference and has its gradients, with dropout too") {
  MESSAGE("seed " << kSeed);
  std::mt19937 random(kSeed);
  for (const bool second : {false, true}) {
    for (const float rate : {0.0f, 0.3f}) {
      TextConfig config{.width = 12,
                        .mlp_width = 20,
                        .layers = 1,
                        .heads = 4,
                        .kv_heads = second ? 2 : 1,
                        .head_dim = 6,
                        .vocabulary = 10};
      if (second) {
        config.architecture = TextArchitecture::kGemma2;
        config.query_pre_attn_scalar = 9;
        config.attention_softcap = 3.0f;
      }
      const int q_width = 24, kv_width = config.kv_heads * 6;
      Tensors tensors{{}, {}, random};
      DecoderBlockTensors block, gradients;
      append(tensors, block.attention_norm, gradients.attention_norm, 1, 12, 0.3f);
      append(tensors, block.qkv, gradients.qkv, q_width + 2 * kv_width, 12, false);
      append(tensors, block.attention_out, gradients.attention_out, 12, q_width, false);
      append(tensors, block.mlp_norm, gradients.mlp_norm, 1, 12, 0.3f);
      append(tensors, block.gate_up, gradients.gate_up, 40, 12, false);
      append(tensors, block.down, gradients.down, 12, 20, false);
      if (second) {
        append(tensors, block.post_attention_norm, gradients.post_attention_norm, 1, 12, 0.3f);
        append(tensors, block.post_mlp_norm, gradients.post_mlp_norm, 1, 12, 0.3f);
      }
      // The third and the fourth stand after the second.
      const std::vector<SequenceRows> sequences = {{0, 7, 4}, {7, 9, 9}, {16, 5, 2, 1}, {21, 4, 4, 2}};
      const int rows = 25;
      const Rotary rotary(config);
      RotaryTable table{Matrix(14, 3), Matrix(14, 3), Matrix(14, 3)};
      for (int position = 0; position < 14; ++position) {
        rotary.angles(position, table.cosines.row(position), table.sines.row(position));
        for (int i = 0; i < 3; ++i) table.negated_sines.row(position)[i] = -table.sines.row(position)[i];
      }
      Matrix x = random_matrix(rows, 12, random), out(rows, 12);
      const Matrix weights = random_matrix(rows, 12, random);
      DecoderBlockActivations activations;
      BlockScratch scratch;
      const DecoderPass pass{config, sequences, table, {.rate = rate, .seed = 5}, scratch};
      const auto expected = [&] { return reference::decoder_block(pass, 0, block, rows_of(x)); };
      const auto loss = [&] { return weighted(expected(), weights); };
      copy_rows(x, activations.x.shaped(rows, 12));
      decoder_block(pass, 0, block, activations, out);
      CHECK(reference::largest_difference(rows_of(out), expected()) < 1e-5);
      Matrix dx = copy_of(weights);
      decoder_block_backward(pass, 0, block, gradients, activations, dx, dx);
      CAPTURE(second);
      CAPTURE(rate);
      check_gradient("x", x, dx, loss);
      for (std::size_t i = 0; i < tensors.values.size(); ++i)
        check_gradient(format("tensor {}", i), tensors.values[i], tensors.gradients[i], loss);
      if (rate > 0) continue;  // a row's dropout is that of its place

      // The asked rows alone: nothing of the second, which others stand behind.
      const std::vector<int> asked = {5, 6, 20, 22, 23, 24};
      const auto count = int(asked.size());
      std::vector<SequenceRows> ended = sequences;
      ended[0].asked = 2;
      ended[1].first_asked = ended[2].first_asked = 2;
      ended[2].asked = 1;
      ended[3].asked = 3;
      ended[3].first_asked = 3;
      const DecoderPass last{config, ended, table, {}, scratch};
      const auto asked_rows = [&] {
        reference::Rows all = expected(), some(count, 12);
        for (int i = 0; i < count; ++i) some.row(i) = all.row(asked[std::size_t(i)]);
        return some;
      };
      Matrix some_out(count, 12);
      const Matrix some_weights = random_matrix(count, 12, random);
      const auto asked_loss = [&] { return weighted(asked_rows(), some_weights); };
      copy_rows(x, activations.x.shaped(rows, 12));
      for (Matrix& gradient : tensors.gradients) fill_rows(gradient, 0);
      decoder_block(last, 0, block, activations, some_out);
      CHECK(reference::largest_difference(rows_of(some_out), asked_rows()) < 1e-5);
      Matrix dout = copy_of(some_weights);
      decoder_block_backward(last, 0, block, gradients, activations, dout, dx);
      check_gradient("x of asked rows", x, dx, asked_loss);
      for (std::size_t i = 0; i < tensors.values.size(); ++i)
        check_gradient(format("tensor {} of asked rows", i), tensors.values[i], tensors.gradients[i],
                       asked_loss);
    }
  }
}

TEST_CASE("dropout drops its share, keeps the mean and differs from place to place") {
  Matrix ones(200, 100), again(200, 100), elsewhere(200, 100);
  for (Matrix* matrix : {&ones, &again, &elsewhere}) std::fill_n(matrix->data(), matrix->size(), 1.0f);
  const Dropout dropout{.rate = 0.1f, .seed = 7};
  dropout.apply(ones, 0);
  dropout.apply(again, 0);
  dropout.apply(elsewhere, 1);
  int dropped = 0, both = 0;
  double sum = 0;
  for (std::size_t i = 0; i < ones.size(); ++i) {
    dropped += ones.data()[i] == 0;
    both += ones.data()[i] == 0 && elsewhere.data()[i] == 0;
    sum += ones.data()[i];
  }
  CHECK(std::memcmp(ones.data(), again.data(), ones.size() * sizeof(float)) == 0);
  CHECK(dropped > 1800);
  CHECK(dropped < 2200);
  CHECK(both < 300);
  CHECK(sum == doctest::Approx(20000).epsilon(0.02));
}
