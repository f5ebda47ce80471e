#include "model/paligemma/likeness.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace palisade;

TEST_CASE("pooled features have length 1, point to the mean, and are nothing where a feature is no number") {
  Matrix features(2, 3);
  const float values[] = {1, 2, 3, 3, 2, 1};
  for (int i = 0; i < 6; ++i) features.row(i / 3)[std::size_t(i % 3)] = values[i];
  const auto pooled = pooled_features(features);
  REQUIRE(pooled.size() == 3);
  for (const float value : pooled) CHECK(value == doctest::Approx(1 / std::sqrt(3.0)));
  features.row(0)[0] = std::numeric_limits<float>::quiet_NaN();
  CHECK(pooled_features(features).empty());
  for (int i = 0; i < 6; ++i) features.row(i / 3)[std::size_t(i % 3)] = 0;
  CHECK(pooled_features(features).empty());
}
