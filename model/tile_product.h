#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "model/matrix.h"
#include "model/memory.h"

namespace palisade {

// c [rows, cols] = a [rows, depth] b in bf16, of activations, where one b serves many a. Prepared for one
// shape, once; calls run in the calling thread, several at a time.
class TileProduct {
 public:
  // Rows of c are `stride` elements apart.
  TileProduct(int rows, int depth, int cols, std::ptrdiff_t stride);

  // The rows of all parts, one below the other: b^T [cols, depth] where `transposed`, else b.
  Block<std::byte> pack(std::span<const ConstMatrixView> parts, bool transposed) const;
  // Rows of a one after the other.
  void multiply(const std::uint16_t* a, const std::byte* packed, MatrixView c) const;

 private:
  struct Parts;
  std::shared_ptr<const Parts> parts_;
};

}  // namespace palisade
