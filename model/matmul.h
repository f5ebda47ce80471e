#pragma once

#include <memory>
#include <span>

#include "model/matrix.h"

namespace palisade {

// A weight matrix W [n, k] packed once for oneDNN, with an optional bias [n]. Used by one thread.
class PackedMatrix {
 public:
  PackedMatrix(ConstMatrixView weight, std::span<const float> bias);
  ~PackedMatrix();
  PackedMatrix(PackedMatrix&&) noexcept;
  PackedMatrix& operator=(PackedMatrix&&) noexcept;

  // y [m, n] = x [m, k] W^T + bias. Rows of x and y may be strided.
  void multiply(ConstMatrixView x, MatrixView y) const;
  int inputs() const;
  int outputs() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// c [m, n] = alpha * a [m, k] b [k, n] + beta * c; with `b_transposed` b is [n, k].
void multiply(ConstMatrixView a, ConstMatrixView b, bool b_transposed, float alpha, float beta, MatrixView c);

// c [m, n] = alpha * a^T b + beta * c, with a [k, m] and b [k, n].
void multiply_transposed(ConstMatrixView a, ConstMatrixView b, float alpha, float beta, MatrixView c);

}  // namespace palisade
