#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/adapters/adapter_tensors.h"
#include "model/matmul/attention.h"
#include "model/matmul/linear.h"
#include "model/tensor/layer_slices.h"
#include "model/tensor/observer.h"
#include "model/weights/checkpoint.h"

namespace palisade {

struct LayerNorm {
  Matrix scale;
  Matrix shift;
  float eps = 1e-6f;

  void operator()(ConstMatrixView x, MatrixView out) const;
  void operator()(ConstMatrixView x, MatmulRows& out) const;
};

// NAME.weight and NAME.bias, as SigLIP stores every norm and matmul.
LayerNorm read_layer_norm(const Checkpoint& checkpoint, const std::string& name, int width, float eps);
Linear read_biased_linear(const Checkpoint& checkpoint, const std::string& name, int outputs, int inputs,
                          Precision precision);

// What an adapter adds to an EncoderMlp; empty: nothing.
struct EncoderMlpAdapter {
  LowRank in;
  std::vector<LowRank> out;  // of each part
};

// fc2(gelu_tanh(fc1(x)))
class EncoderMlp {
 public:
  EncoderMlp(const Checkpoint& checkpoint, const std::string& name, int width, int mlp_width,
             Precision precision);
  // To what stands there. x as `rows` began it with the same adapter; [rows, width] both
  void add_to(const MatmulRows& x, MatrixView out, const EncoderMlpAdapter& adapter = {}) const;
  MatmulRows rows(int count, const EncoderMlpAdapter& adapter = {}) const {
    return parts_.front().in.rows(count, rows_of(adapter.in, count));
  }
  // `name` as in the constructor.
  EncoderMlpAdapter adapt(const AdapterTensors& adapter, const std::string& name) const;

 private:
  // Some outputs of fc1 and the columns of fc2 that take them: as many as stay in the L2 cache.
  struct Part {
    Linear in;
    Linear out;
  };
  int width_, mlp_width_;
  std::vector<Part> parts_;
};

struct EncoderShape {
  int width = 0;
  int mlp_width = 0;
  int layers = 0;
  int heads = 0;
  float layer_norm_eps = 1e-6f;
};

AttentionShape attention_shape_of(const EncoderShape& shape);

// What an adapter adds to EncoderLayers; empty: nothing.
struct EncoderAdapter {
  struct Layer {
    LowRank qkv;
    LowRank attention_out;
    EncoderMlpAdapter mlp;
  };
  std::vector<Layer> layers;

  explicit operator bool() const { return !layers.empty(); }
  std::size_t bytes() const;
};

// The pre-LayerNorm transformer that SigLIP's image and text towers share: every token sees every other of
// its sequence (transformers, modeling_siglip.py: SiglipEncoder). Read-only after construction.
class EncoderLayers {
 public:
  // Tensors are `prefix` + "0.layer_norm1.weight", ...
  EncoderLayers(const EncoderShape& shape, const Checkpoint& checkpoint, const std::string& prefix,
                Precision precision);

  // What it adds to these layers, by the names of their tensors.
  EncoderAdapter adapt(const AdapterTensors& adapter, const std::string& prefix) const;

  // In place. `x` [sequences * tokens, width]; layer i is observed as `observed` + "i".
  void forward(MatrixView x, int tokens, const Observer& observer, std::string_view observed) const;

 private:
  friend class EncoderPass;
  // Some heads' q, k and v, one below the other: as many as stay near until they are attended.
  struct Heads {
    int first;
    int count;
    Linear qkv;
  };
  struct Layer {
    LayerNorm attention_norm;
    std::vector<Heads> heads;
    Linear attention_out;
    LayerNorm mlp_norm;
    EncoderMlp mlp;
  };
  Layer read_layer(const Checkpoint& checkpoint, const std::string& name, Precision precision) const;

  EncoderShape shape_;
  std::vector<Layer> layers_;
};

// EncoderLayers::forward in slices (see LayerSlices), with an adapter or none (nullptr). Layers, adapter and
// view outlive it.
class EncoderPass {
 public:
  EncoderPass(const EncoderLayers& layers, MatrixView x, int tokens, Observer observer, std::string observed,
              const EncoderAdapter* adapter = nullptr);

  // The next slice, of about `operations`; false once there is none.
  bool advance(double operations);
  double operations() const { return at_.operations(); }  // done so far

 private:
  struct Place {
    int layer;
    int group;        // its first row of x
    int groups_left;  // of its layer, with this one
  };
  static int rows_of_group(int rows, int tokens);
  Place place() const;
  int groups_within(double operations) const;
  void run_layer(int layer, MatrixView x) const;
  MatmulRows norm(int layer, ConstMatrixView x) const;
  void attend(int layer, int group, const MatmulRows& normed, MatrixView out) const;
  void mix(int layer, ConstMatrixView attended, MatrixView x) const;
  const EncoderAdapter::Layer& adapter(int layer) const {
    static const EncoderAdapter::Layer none;
    return adapter_ != nullptr && *adapter_ ? adapter_->layers[layer] : none;
  }

  const EncoderLayers& layers_;
  const EncoderAdapter* adapter_;
  MatrixView x_;
  int tokens_;
  int group_rows_;
  int rows_apart_;  // whole sequences that a thread takes through a layer by itself
  Observer observer_;
  std::string observed_;
  std::optional<MatmulRows> normed_;  // of the layer and the group in hand
  Matrix attended_;                   // [group rows, heads * head_dim] likewise
  LayerSlices at_;                    // every group of every layer
};

}  // namespace palisade
