#include "model/paligemma/similarity.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "model/kernels/kernels.h"

namespace palisade {

double image_similarity(const Matrix& a, const Matrix& b) {
  if (a.rows() != b.rows() || a.cols() != b.cols()) return std::numeric_limits<double>::quiet_NaN();
  std::vector<double> cosines;
  for (int token = 0; token < a.rows(); ++token) {
    cosines.push_back(cosine(a.row(token), b.row(token)));
    if (std::isnan(cosines.back())) return cosines.back();
  }
  const std::size_t least = std::max<std::size_t>(1, cosines.size() / 64);
  std::ranges::partial_sort(cosines, cosines.begin() + std::ptrdiff_t(least));
  double sum = 0;
  for (std::size_t i = 0; i < least; ++i) sum += cosines[i];
  return sum / double(least);
}

}  // namespace palisade
