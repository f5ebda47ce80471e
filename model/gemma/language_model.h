#pragma once

#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "model/config/model_config.h"
#include "model/gemma/kv_cache.h"
#include "model/gemma/language_adapter.h"
#include "model/matmul/attention.h"
#include "model/matmul/embedding_table.h"
#include "model/matmul/linear.h"
#include "model/tensor/layer_slices.h"
#include "model/tensor/observer.h"
#include "model/weights/checkpoint.h"
#include "model/weights/loading.h"

namespace palisade {

// New positions of one sequence inside a batch, behind what its cache holds. Rows up to position `prefix` see
// each other both ways, later ones are causal.
struct Segment {
  KvCache* cache = nullptr;
  int rows = 0;
  int prefix = 0;
  const LanguageAdapter* adapter = nullptr;  // or none
  // Where rows stand for others that are alike (see static_images.h), which have their keys and values; else
  // empty: each row stands for itself. Places are new positions, all of the prefix.
  std::vector<int> own_places = {};   // of each row: its first place [rows]
  std::vector<int> next_places = {};  // of each place: the next one of the same row, or -1 [positions]

  int positions() const { return own_places.empty() ? rows : prefix; }
  int own_place(int row) const { return own_places.empty() ? row : own_places[row]; }
  int next_place(int place) const { return next_places.empty() ? -1 : next_places[place]; }
};

AttentionShape attention_shape_of(const TextConfig& config);

// Gemma or Gemma 2 as PaliGemma uses them (transformers, modeling_gemma.py and modeling_gemma2.py;
// big_vision, models/ppp/gemma.py). Read-only once it is loaded.
class LanguageModel {
 public:
  // Without weights, which load() brings.
  LanguageModel(const TextConfig& config, SlidingWindow window);
  // Once. Whoever uses the model meanwhile, in another thread, waits for what it needs of it, and is thrown
  // what this throws. Ends with a Error where it is asked to stop.
  void load(const Checkpoint& checkpoint, Precision precision, const std::stop_token& stop = {});

  // Embedding rows times sqrt(width). out [ids, width]
  void embed(std::span<const TokenId> ids, MatrixView out) const;
  // Runs the rows of all segments (one below the other in x [rows, width]) through all layers and the final
  // norm, in place, and extends their caches: a LanguagePass in one go.
  void forward(MatrixView x, std::span<const Segment> segments, const Observer& observer,
               int first_asked = 0) const;
  // hidden [rows, width] -> out [rows, vocabulary], without final soft-cap (big_vision's compute_logits).
  void logits(ConstMatrixView hidden, MatrixView out, const RowAdapters& adapters = {}) const;

  KvCache make_cache(int capacity) const {
    return KvCache(config_.layers, capacity, config_.kv_heads * config_.head_dim);
  }
  const TextConfig& config() const { return config_; }
  // Waits for the first layer.
  bool rounds() const { return layer(0).qkv.rounds(); }

 private:
  friend class LanguagePass;
  struct Layer {
    Matrix attention_norm;  // all norms hold 1 + w
    Linear qkv;             // q, k, v one below the other
    Linear attention_out;
    std::optional<Matrix> post_attention_norm;  // Gemma 2
    Matrix mlp_norm;
    Linear gate_up;  // gate above up
    Linear down;
    std::optional<Matrix> post_mlp_norm;  // Gemma 2
  };
  // Parts of the loading: what stands before and behind the layers, and each of them.
  static constexpr int kEnds = 0, kFirstLayer = 1;
  void load_parts(const Checkpoint& checkpoint, Precision precision, const std::stop_token& stop);
  Layer read_layer(const Checkpoint& checkpoint, int index, Precision precision) const;
  bool has_layer(int index) const { return loading_.has(kFirstLayer + index); }
  const Layer& layer(int index) const {
    loading_.wait_for(kFirstLayer + index);
    return layers_[index];
  }
  // With adapters of `down`, or none.
  void mlp(const Layer& layer, const MatmulRows& normed, MatrixView mixed, const RowUse& use,
           const RowAdapters& adapters) const;
  void norm(ConstMatrixView x, const Matrix& scale, MatrixView out) const;
  void norm(ConstMatrixView x, const Matrix& scale, MatmulRows& out) const;
  void rotate(std::span<const float> heads, int position, std::span<float> out) const;
  AttentionShape attention_shape() const;

  TextConfig config_;
  SlidingWindow window_;
  Loading loading_;
  std::optional<EmbeddingTable> embedding_;
  std::optional<Linear> head_;
  std::vector<Layer> layers_;  // with room for all, so that none moves
  Matrix final_norm_;
  Matrix angles_;  // of RoPE, cosines and sines that all heads turn by in all layers. [positions, head_dim]
};

// A forward through all layers in slices (see LayerSlices). Views and caches outlive it.
class LanguagePass {
 public:
  // Of rows before `first_asked` nobody asks what the last layer makes, unless there is an observer: they
  // leave their keys and values there and go no further. The last row always goes on.
  LanguagePass(const LanguageModel& model, MatrixView x, std::vector<Segment> segments,
               const Observer& observer = {}, int first_asked = 0);

  // The next slice, of about `operations`; false once there is none, and the rows of x that are asked for
  // hold the final norm's output.
  bool advance(double operations);
  double operations() const { return at_.operations(); }  // done so far

 private:
  // Rows [first, first + count) that belong to one segment.
  struct Part {
    const Segment* segment;
    int first;  // row of x
    int count;
    int row;    // the first's, of the segment
    int asked;  // rows of the segment that the last layer goes on with
  };
  std::vector<Part> parts_of(int first, int count) const;
  // Of the layer in hand; empty where none of these rows has one.
  RowAdapters adapters_of(int first, int count, LowRank LanguageAdapter::Layer::*linear) const;
  void write_keys(int first, int count);
  void attend_and_mix(int first, int count);
  void end_layer(int layer);

  const LanguageModel& model_;
  MatrixView x_;
  std::vector<Segment> segments_;
  Observer observer_;
  int first_asked_;
  Matrix q_;  // [rows, heads * head_dim] of the layer in hand
  LayerSlices at_;
};

}  // namespace palisade
