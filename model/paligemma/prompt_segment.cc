#include "model/paligemma/prompt_segment.h"

#include <cassert>

namespace palisade {

std::vector<ImageFeatures> images_read(std::span<const ImageFeatures> images, std::span<const int> read_as) {
  std::vector<ImageFeatures> read;
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (read_as.empty() || read_as[i] == int(i)) read.push_back(images[i]);
  }
  return read;
}

Segment segment_of(std::span<const ImageFeatures> images, int prompt, std::span<const int> read_as) {
  Segment segment;
  for (const ImageFeatures& image : images) segment.prefix += image->rows();
  segment.prefix += prompt;
  segment.rows = segment.prefix;
  if (read_as.empty()) return segment;
  segment.next_places.assign(segment.prefix, -1);
  std::vector<int> last_places(images.size());  // where the last that is read as each image begins
  int place = 0;
  for (int image = 0; image < int(images.size()); ++image) {
    const int read = read_as[image], first = place;
    assert(read <= image && read_as[read] == read && images[read]->rows() == images[image]->rows());
    for (int token = 0; token < images[image]->rows(); ++token, ++place) {
      if (read == image) {
        segment.own_places.push_back(place);
      } else {
        segment.next_places[last_places[read] + token] = place;
      }
    }
    last_places[read] = first;
  }
  for (; place < segment.prefix; ++place) segment.own_places.push_back(place);
  segment.rows = int(segment.own_places.size());
  return segment;
}

}  // namespace palisade
