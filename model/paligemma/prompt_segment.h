#pragma once

#include <span>
#include <vector>

#include "model/gemma/language_model.h"
#include "model/paligemma/paligemma.h"

namespace palisade {

// Of images some of which are read as others (see static_images.h; empty: none is), those that enter the
// pass.
std::vector<ImageFeatures> images_read(std::span<const ImageFeatures> images, std::span<const int> read_as);

// The prefix of these images and a prompt of so many tokens. Without a cache.
Segment segment_of(std::span<const ImageFeatures> images, int prompt, std::span<const int> read_as);

}  // namespace palisade
