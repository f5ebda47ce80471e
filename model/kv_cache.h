#pragma once

#include <algorithm>
#include <vector>

#include "model/matrix.h"

namespace palisade {

// Keys (after RoPE) and values of one Sequence in every layer. [capacity, kv_heads * head_dim] each.
class KvCache {
 public:
  KvCache(int layers, int capacity, int width) : capacity_(capacity) {
    for (int layer = 0; layer < layers; ++layer)
      layers_.push_back({Matrix(capacity, width), Matrix(capacity, width)});
  }

  struct Layer {
    Matrix keys;
    Matrix values;
  };
  Layer& layer(int index) { return layers_[index]; }
  int length() const { return length_; }
  int capacity() const { return capacity_; }
  // Counts positions whose keys and values are in place in all layers.
  void extend(int positions) { length_ += positions; }

  // A copy of the positions in place, with the same room after them.
  KvCache fork() const {
    KvCache copy(int(layers_.size()), capacity_, layers_.empty() ? 0 : layers_[0].keys.cols());
    for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
      const std::size_t filled = std::size_t(length_) * layers_[layer].keys.cols();
      std::copy_n(layers_[layer].keys.data(), filled, copy.layers_[layer].keys.data());
      std::copy_n(layers_[layer].values.data(), filled, copy.layers_[layer].values.data());
    }
    copy.length_ = length_;
    return copy;
  }

 private:
  int capacity_;
  int length_ = 0;
  std::vector<Layer> layers_;
};

}  // namespace palisade
