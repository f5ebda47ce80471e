#include "model/paligemma/static_images.h"

#include "model/paligemma/similarity.h"

namespace palisade {

std::vector<int> read_images(std::span<const std::shared_ptr<const Matrix>> images, double threshold) {
  std::vector<int> read_as;
  // With the last that changed, never with its neighbour: a slow drift is a change as well. NaN is one.
  for (int image = 0, last = 0; image < int(images.size()); ++image) {
    if (!(image_similarity(*images[image], *images[last]) >= threshold)) last = image;
    read_as.push_back(last);
  }
  return read_as;
}

}  // namespace palisade
