#pragma once

#include <cmath>
#include <filesystem>

#include "model/tensor/matrix.h"

namespace palisade {

inline const std::filesystem::path kReference =
    std::filesystem::path(PALISADE_SOURCE_DIR) / "tests/golden/reference";
inline const std::filesystem::path kModels = kReference / "models";

// |actual - expected| / |expected|
inline double relative_error(const Matrix& actual, const Matrix& expected) {
  double difference = 0, all = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    difference += std::pow(double(actual.data()[i]) - expected.data()[i], 2);
    all += std::pow(double(expected.data()[i]), 2);
  }
  return std::sqrt(difference / all);
}

}  // namespace palisade
