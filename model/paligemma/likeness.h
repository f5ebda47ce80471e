#pragma once

#include <vector>

#include "model/tensor/matrix.h"

namespace palisade {

// One vector for an image, of length 1: the mean of its features [tokens, width]. The cosine of two says how
// alike the images are as the model sees them. Empty where the features are not finite.
std::vector<float> pooled_features(const Matrix& features);

}  // namespace palisade
