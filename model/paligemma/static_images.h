#pragma once

#include <memory>
#include <span>
#include <vector>

#include "model/tensor/matrix.h"

namespace palisade {

// Which images of a clip need not be read, because an earlier one shows the same: for each image the one
// whose tokens stand for its own, itself where it is read. [images] One is read where image_similarity() of
// its features and those of the last that was (at first: the first) is below `threshold`.
std::vector<int> read_images(std::span<const std::shared_ptr<const Matrix>> images, double threshold);

}  // namespace palisade
