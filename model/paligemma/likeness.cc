#include "model/paligemma/likeness.h"

#include <cmath>

namespace palisade {

std::vector<float> pooled_features(const Matrix& features) {
  std::vector<float> sum(std::size_t(features.cols()));
  for (int token = 0; token < features.rows(); ++token) {
    const auto row = features.row(token);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += row[i];
  }
  double squares = 0;
  for (const float value : sum) squares += double(value) * value;
  if (!std::isfinite(squares) || squares == 0) return {};
  const auto scale = float(1 / std::sqrt(squares));
  for (float& value : sum) value *= scale;
  return sum;
}

}  // namespace palisade
