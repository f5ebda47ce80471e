#include "model/similarity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace palisade {
namespace {

double cosine(std::span<const float> a, std::span<const float> b) {
  // Several sums, so that one addition need not wait for the other.
  constexpr std::size_t kSums = 8;
  std::array<float, kSums> ab{}, aa{}, bb{};
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab[i % kSums] += a[i] * b[i];
    aa[i % kSums] += a[i] * a[i];
    bb[i % kSums] += b[i] * b[i];
  }
  const auto total = [](const auto& sums) {
    double sum = 0;
    for (const float part : sums) sum += part;
    return sum;
  };
  return total(ab) / std::sqrt(total(aa) * total(bb));
}

}  // namespace

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
