#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "model/tensor/matrix.h"
#include "model/tensor/memory.h"

namespace palisade {

// Attention whose queries, keys, values and probabilities are rounded to 12 bits, each row (of values: each
// column) with a quantisation scale of its own, where integer_tiles multiplies them. Scores, their softmax
// and the sums over positions are f32.

// Of a head, so that sums fit 32 bits.
inline constexpr int kMaxTiledDim = 512;

// Keys and values of one key/value head, packed for many queries. Read-only after construction.
class PackedKeysAndValues {
 public:
  // Rows of all parts, one below the other. [positions, dim] each
  PackedKeysAndValues(std::span<const ConstMatrixView> keys, std::span<const ConstMatrixView> values);

 private:
  friend class AttentionTiles;
  int positions_;
  int dim_;
  Block<std::byte> keys_;         // for each 64 positions: [depth / 2, 64, 2]
  std::vector<float> key_steps_;  // of each position
  Block<std::byte> values_;  // for each chunk of positions and each slice of columns: [chunk / 2, columns, 2]
  std::vector<float> value_steps_;  // for each chunk, of each column
};

// Positions that a query sees.
struct PositionRange {
  int begin;
  int end;
};

// softmax(q k^T * scale) v of some rows of one head.
struct TiledRows {
  ConstMatrixView q;                    // [rows, dim]
  std::span<const PositionRange> seen;  // by each row: at least one position
  float scale;
  std::optional<float> softcap;
};
void attend_tiles(const TiledRows& rows, const PackedKeysAndValues& packed, MatrixView out);

}  // namespace palisade
