#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "model/kernels/row_formats.h"
#include "model/matmul/precision.h"
#include "model/tensor/matrix.h"
#include "model/weights/packed_cache.h"
#include "model/weights/weight_rows.h"

namespace palisade {

// One row of `width` a token: f32 where the matmuls are, else bf16, which is how checkpoints store it.
class EmbeddingTable {
 public:
  EmbeddingTable(const WeightRows& rows, Precision precision) : width_(rows.cols) {
    const std::size_t halves_size = std::size_t(rows.rows) * width_ * sizeof(std::uint16_t);
    std::span<std::byte> bytes;
    if (precision == Precision::kF32) {
      whole_ = Matrix(rows.rows, rows.cols);
      bytes = std::as_writable_bytes(std::span(whole_.data(), whole_.size()));
    } else {
      halves_ = take_memory(halves_size);
      bytes = {halves_.get(), halves_size};
    }
    if (rows.cache != nullptr && rows.cache->read(rows.name + ".rows", bytes)) return;
    rows.for_each([this](int row, std::span<const float> values) {
      if (!halves_) {
        std::ranges::copy(values, whole_.row(row).begin());
      } else {
        to_bf16(values, {row_at(row), std::size_t(width_)});
      }
    });
    if (rows.cache != nullptr) rows.cache->keep(rows.name + ".rows", bytes);
  }

  void copy(int row, std::span<float> out) const {
    if (!halves_) {
      std::ranges::copy(whole_.row(row), out.begin());
    } else {
      from_bf16({row_at(row), std::size_t(width_)}, out);
    }
  }

 private:
  std::uint16_t* row_at(int row) const {
    return reinterpret_cast<std::uint16_t*>(halves_.get()) + std::size_t(row) * width_;
  }
  int width_;
  Matrix whole_;
  Block<std::byte> halves_;  // bf16
};

}  // namespace palisade
