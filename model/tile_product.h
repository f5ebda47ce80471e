#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "model/matrix.h"
#include "model/memory.h"

namespace palisade {

// c [rows, cols] = a [rows, depth] b of activations, where one b serves many a. Prepared for one shape; calls
// run in the calling thread, several at a time.
class TileProduct {
 public:
  // In bf16 where `halves` is set, else in f32.
  TileProduct(int rows, int depth, int cols, bool halves);
  ~TileProduct();
  TileProduct(TileProduct&&) noexcept;

  // The rows of all parts, one below the other, times `factor`: b^T [cols, depth] where `transposed`, else b.
  Block<std::byte> pack(std::span<const ConstMatrixView> parts, bool transposed, float factor) const;
  // Rows of a and c may be strided.
  void multiply(ConstMatrixView a, const std::byte* packed, MatrixView c) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace palisade
