#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/matmul/attention.h"
#include "model/tensor/eigen.h"

// Layers in f64 by the formulas of their papers, as a reference for matmuls, attention and training.
namespace palisade::reference {

using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

inline Rows rows_of(ConstMatrixView x) {
  return array_of(x).cast<double>();
}

// Infinity if a value is not finite.
inline double largest_difference(const Rows& a, const Rows& b) {
  const double largest = (a - b).cwiseAbs().maxCoeff<Eigen::PropagateNaN>();
  return std::isfinite(largest) ? largest : std::numeric_limits<double>::infinity();
}

inline Rows gelu(const Rows& x) {
  const auto v = x.array();
  return 0.5 * v * (1 + (std::sqrt(2 / M_PI) * (v + 0.044715 * v.cube())).tanh());
}

inline Rows softmax(const Rows& scores) {
  const Rows weights = (scores.colwise() - scores.rowwise().maxCoeff()).array().exp();
  return weights.array().colwise() / weights.array().rowwise().sum();
}

// x W^T + b
inline Rows affine(const Rows& x, const Rows& weight, const Rows& bias) {
  return (x * weight.transpose()).rowwise() + bias.row(0);
}

inline Rows layer_norm(const Rows& x, const Rows& scale, const Rows& shift, double eps) {
  const Rows centred = x.colwise() - x.rowwise().mean();
  const Eigen::ArrayXd deviation = (centred.array().square().rowwise().mean() + eps).sqrt();
  return ((centred.array().colwise() / deviation).rowwise() * scale.row(0).array()).rowwise() +
         shift.row(0).array();
}

// Gemma's RMSNorm, which multiplies by 1 + weight.
inline Rows rms_norm(const Rows& x, const Rows& weight, double eps) {
  const Eigen::ArrayXd size = (x.array().square().rowwise().mean() + eps).sqrt();
  return (x.array().colwise() / size).rowwise() * (1 + weight.row(0).array());
}

inline Rows attention(const AttentionShape& shape, const Rows& q, const Rows& keys, const Rows& values,
                      const Visibility& visibility) {
  Rows out(q.rows(), q.cols());
  for (int head = 0; head < shape.heads; ++head) {
    const int dim = shape.head_dim, at = head * dim, kv_at = head / (shape.heads / shape.kv_heads) * dim;
    Rows scores = double(shape.scale) * q.middleCols(at, dim) * keys.middleCols(kv_at, dim).transpose();
    if (const double cap = shape.softcap.value_or(0)) scores = cap * (scores / cap).array().tanh();
    for (int row = 0; row < q.rows(); ++row) {
      const Eigen::Index hidden = std::max<Eigen::Index>(0, keys.rows() - visibility.end(row));
      scores.row(row).head(visibility.begin(row)).setConstant(-std::numeric_limits<double>::infinity());
      scores.row(row).tail(hidden).setConstant(-std::numeric_limits<double>::infinity());
    }
    out.middleCols(at, dim) = softmax(scores) * values.middleCols(kv_at, dim);
  }
  return out;
}

}  // namespace palisade::reference
