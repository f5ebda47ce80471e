#include "model/train/sigmoid_loss.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "model/kernels/kernels.h"
#include "model/matmul/matmul.h"

namespace palisade {

void normalise_rows(MatrixView x, std::span<float> lengths) {
  constexpr float kLeast = 1e-6f;
  for (int row = 0; row < x.rows; ++row) {
    const auto values = x.row(row);
    const float squares = std::inner_product(values.begin(), values.end(), values.begin(), 0.0f);
    lengths[std::size_t(row)] = std::max(std::sqrt(squares), kLeast);
    scale(values, 1.0f / lengths[std::size_t(row)]);
  }
}

void normalise_rows_backward(ConstMatrixView normalised, std::span<const float> lengths, MatrixView dx) {
  for (int row = 0; row < dx.rows; ++row) {
    const auto z = normalised.row(row);
    const auto d = dx.row(row);
    const float along = std::inner_product(z.begin(), z.end(), d.begin(), 0.0f);
    for (std::size_t i = 0; i < d.size(); ++i) d[i] = (d[i] - along * z[i]) / lengths[std::size_t(row)];
  }
}

double sigmoid_loss(ConstMatrixView pictures, ConstMatrixView texts, ConstMatrixView scale_and_bias,
                    std::span<const bool> alike, const SigmoidGradients& gradients) {
  const int count = pictures.rows;
  const float factor = std::exp(scale_and_bias.row(0)[0]), bias = scale_and_bias.row(0)[1];
  Matrix logits(count, count);
  multiply(pictures, texts, true, factor, 0, logits);
  double loss = 0, dscale = 0, dbias = 0;
  for (int i = 0; i < count; ++i) {
    for (int j = 0; j < count; ++j) {
      float& logit = logits.row(i)[std::size_t(j)];
      const double sign = alike[std::size_t(i) * std::size_t(count) + std::size_t(j)] ? 1 : -1;
      const double margin = sign * (double(logit) + bias);
      loss += std::max(0.0, -margin) + std::log1p(std::exp(-std::abs(margin)));
      const double slope = -sign / (1 + std::exp(margin)) / count;
      dscale += slope * logit;
      dbias += slope;
      logit = float(slope);
    }
  }
  multiply(logits, texts, false, factor, 0, gradients.pictures);
  multiply_transposed(logits, pictures, factor, 0, gradients.texts);
  gradients.scale_and_bias.row(0)[0] += float(dscale);
  gradients.scale_and_bias.row(0)[1] += float(dbias);
  return loss / count;
}

}  // namespace palisade
