#include "model/static_images.h"

#include <algorithm>

#include "model/similarity.h"

namespace palisade {

std::vector<int> read_images(std::span<const std::shared_ptr<const Matrix>> images, double threshold) {
  const int count = int(images.size()), margin = (count + 15) / 16;
  std::vector<bool> read(images.size(), false);
  // With the last that changed, never with its neighbour: a slow drift is a change as well. NaN is one.
  for (int image = 1, last = 0; image < count; ++image) {
    if (image_similarity(*images[image], *images[last]) >= threshold) continue;
    last = image;
    const int end = std::min(count, image + margin + 1);
    std::fill(read.begin() + std::max(0, image - margin), read.begin() + end, true);
  }
  std::vector<int> read_as;
  for (int image = 0; image < count; ++image)
    read_as.push_back(image == 0 || read[image] ? image : read_as.back());
  return read_as;
}

}  // namespace palisade
