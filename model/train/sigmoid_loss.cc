#include "model/train/sigmoid_loss.h"

#include <cmath>

#include "model/matmul/matmul.h"
#include "model/tensor/eigen.h"

namespace palisade {

void normalise_rows(MatrixView x, std::span<float> lengths) {
  constexpr float kMinLength = 1e-6f;
  auto rows = array_of(x);
  array_of(lengths) = rows.matrix().rowwise().norm().array().max(kMinLength);
  rows.colwise() /= array_of(lengths);
}

void normalise_rows_backward(ConstMatrixView normalised, std::span<const float> lengths, MatrixView dx) {
  const auto z = array_of(normalised);
  auto d = array_of(dx);
  const Eigen::ArrayXf along = (z * d).rowwise().sum();
  d = (d - z.colwise() * along).colwise() / array_of(lengths);
}

double sigmoid_loss(ConstMatrixView pictures, ConstMatrixView texts, ConstMatrixView scale_and_bias,
                    std::span<const bool> alike, const SigmoidGradients& gradients) {
  using Pairs = RowArray<double>;  // [pictures, texts]
  const int count = pictures.rows;
  const float factor = std::exp(scale_and_bias.row(0)[0]), bias = scale_and_bias.row(0)[1];
  Matrix logits(count, count);
  multiply(pictures, texts, true, factor, 0, logits);
  const Pairs logit = array_of(logits.view()).cast<double>();
  const Pairs sign = 2 * array_of(alike.data(), count, count, count).cast<double>() - 1;
  const Pairs margin = sign * (logit + double(bias));
  const Pairs slope = -sign / (1 + margin.exp()) / count;
  gradients.scale_and_bias.row(0)[0] += float((slope * logit).sum());
  gradients.scale_and_bias.row(0)[1] += float(slope.sum());
  array_of(logits.view()) = slope.cast<float>();
  multiply(logits, texts, false, factor, 0, gradients.pictures);
  multiply_transposed(logits, pictures, factor, 0, gradients.texts);
  return ((-margin).max(0) + (-margin.abs()).exp().log1p()).sum() / count;
}

}  // namespace palisade
