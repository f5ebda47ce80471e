#pragma once

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

 private:
  int capacity_;
  int length_ = 0;
  std::vector<Layer> layers_;
};

}  // namespace palisade
