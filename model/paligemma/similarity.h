#pragma once

#include "model/tensor/matrix.h"

namespace palisade {

// How alike two images of the same model are: the mean of the cosines of their least alike 64th of image
// tokens, because what is new may be small. Of their features [tokens, width]; NaN where these are not finite
// or differ in size.
double image_similarity(const Matrix& a, const Matrix& b);

}  // namespace palisade
