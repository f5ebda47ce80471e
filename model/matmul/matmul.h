#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/matmul/low_rank.h"
#include "model/matmul/precision.h"
#include "model/tensor/matrix.h"
#include "model/tensor/memory.h"
#include "model/weights/weight_rows.h"

namespace palisade {

// What the form of packed weights depends on: the precision, oneDNN's version and instructions.
std::string packing_of(Precision precision);

// Seconds that threads of this process have spent in matmuls by packed weights, all of them together:
// without what comes before and after, and without matmuls of activations with each other.
double matmul_thread_seconds();

// What is done to row r of a matmul right after it, in place or to something else, while the row is in the
// L1 cache. Rows come in any order, several at a time.
using RowUse = std::function<void(int row, std::span<float> values)>;

class MatmulRows;

// A weight matrix W [n, k] packed once, for oneDNN or integer_tiles, with an optional bias [n]. Several
// threads may multiply by it.
//
// In int8 each row of W and of x is rotated (see row_formats.h) and rounded with a scale of its own; the sums
// are exact, so that rounding is all that is lost.
class PackedMatrix {
 public:
  // Throws Error where this CPU has no such matmul.
  PackedMatrix(const WeightRows& weight, std::span<const float> bias, Precision precision);
  ~PackedMatrix();
  PackedMatrix(PackedMatrix&&) noexcept;
  PackedMatrix& operator=(PackedMatrix&&) noexcept;

  // y [m, n] = x [m, k] W^T + bias, and what adapters add, then `use` of each row, unless it is empty. Rows
  // of x and y may be strided.
  void multiply(ConstMatrixView x, MatrixView y, const RowUse& use = {},
                const RowAdapters& adapters = {}) const;
  // The same of rows made for this matrix, or for another of the same precision and inputs; `linear` is which
  // of those that share them this is to an adapter (LowRank).
  void multiply(const MatmulRows& x, MatrixView y, const RowUse& use = {}, int linear = 0) const;
  int outputs() const;
  // Whether it rounds what it multiplies, so that what is beside it may be rounded too.
  bool rounds() const;

 private:
  friend class MatmulRows;
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// Rows of x as a PackedMatrix, which outlives them, multiplies them: what makes a row sets it, while it is in
// the L1 cache. Several threads may set different rows.
class MatmulRows {
 public:
  // With `adapters` of each row, or none.
  MatmulRows(const PackedMatrix& matrix, int rows, const RowAdapters& adapters = {});
  void set(int row, std::span<const float> values);
  // What adapters do in set() for all rows, beside the rounding.
  double operations_of_setting() const { return low_.operations_of_setting(); }

 private:
  friend class PackedMatrix;
  PackedMatrix::Parts* parts_;
  std::size_t row_bytes_;
  Block<std::byte> rows_;
  std::vector<float> scales_;  // of each row, 1 but in int8
  LowRankRows low_;
};

// c [m, n] = alpha * a [m, k] b [k, n] + beta * c; with `b_transposed` b is [n, k].
void multiply(ConstMatrixView a, ConstMatrixView b, bool b_transposed, float alpha, float beta, MatrixView c);

// c [m, n] = alpha * a^T b + beta * c, with a [k, m] and b [k, n].
void multiply_transposed(ConstMatrixView a, ConstMatrixView b, float alpha, float beta, MatrixView c);

}  // namespace palisade
