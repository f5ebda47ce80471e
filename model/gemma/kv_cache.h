#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "model/matmul/attention.h"
#include "model/tensor/matrix.h"

namespace palisade {

// Keys (after RoPE) and values of one Sequence in every layer: kv_heads * head_dim of each a position. Forks
// (beams, choices) share what was there when the first of them was made; what they add is their own.
class KvCache {
 public:
  KvCache(int layers, int capacity, int width)
      : width_(width), capacity_(capacity), own_(make_layers(layers, capacity)) {}

  // Where the key and the value of a position are written, one that is not shared.
  std::span<float> key(int layer, int position) { return own_[layer].keys.row(position - shared_positions_); }
  std::span<float> value(int layer, int position) {
    return own_[layer].values.row(position - shared_positions_);
  }
  // The first `positions` of a layer.
  std::vector<KeysAndValues> first(int layer, int positions) const {
    const int shared = std::min(positions, shared_positions_);
    std::vector<KeysAndValues> parts;
    if (before_) parts = before_->first(layer, shared);
    if (shared > 0 && shared_) parts.push_back((*shared_)[layer].first(shared));
    if (positions > shared) parts.push_back(own_[layer].first(positions - shared));
    return parts;
  }

  int length() const { return length_; }
  int capacity() const { return capacity_; }
  // Counts positions whose keys and values are in place in all layers.
  void extend(int positions) { length_ += positions; }

  // One that goes on behind the first `positions` of another, in place there by the time that they are read.
  // The other outlives it and stays where it is.
  static KvCache behind(const KvCache& other, int positions, int room) {
    KvCache behind(int(other.own_.size()), room, other.width_);
    behind.capacity_ = positions + room;
    behind.length_ = behind.shared_positions_ = positions;
    behind.before_ = &other;
    return behind;
  }

  // Another that goes on from here, with the same room after it.
  KvCache fork() {
    if (!shared_) share();
    KvCache copy(0, capacity_, width_);
    copy.length_ = length_;
    copy.shared_ = shared_;
    copy.shared_positions_ = shared_positions_;
    copy.own_ = make_layers(int(own_.size()), capacity_ - shared_positions_);
    const std::size_t filled = std::size_t(length_ - shared_positions_) * width_;
    for (std::size_t layer = 0; layer < own_.size(); ++layer) {
      std::copy_n(own_[layer].keys.data(), filled, copy.own_[layer].keys.data());
      std::copy_n(own_[layer].values.data(), filled, copy.own_[layer].values.data());
    }
    return copy;
  }

 private:
  struct Layer {
    Matrix keys;
    Matrix values;
    KeysAndValues first(int positions) const {
      return {keys.view().row_range(0, positions), values.view().row_range(0, positions)};
    }
  };
  std::vector<Layer> make_layers(int layers, int positions) const {
    std::vector<Layer> made;
    for (int layer = 0; layer < layers; ++layer)
      made.push_back({Matrix(positions, width_), Matrix(positions, width_)});
    return made;
  }
  void share() {
    const int layers = int(own_.size());
    shared_ = std::make_shared<const std::vector<Layer>>(std::move(own_));
    shared_positions_ = length_;
    own_ = make_layers(layers, capacity_ - length_);
  }

  int width_;
  int capacity_;
  int length_ = 0;
  std::shared_ptr<const std::vector<Layer>> shared_;
  const KvCache* before_ = nullptr;  // instead of shared_
  int shared_positions_ = 0;
  std::vector<Layer> own_;  // of the positions after the shared ones
};

}  // namespace palisade
