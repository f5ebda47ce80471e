#pragma once

#include <vector>

#include "frames/image.h"

namespace palisade {

// tf.image.resize(method="bilinear", antialias=False): half-pixel centres, f32. [height, width, 3], 0..255
std::vector<float> resize_bilinear(const Image& image, int width, int height);

// The same with antialias=True: a triangle filter widened by the scale (ScaleAndTranslate, rows first), f32.
std::vector<float> resize_bilinear_antialiased(const Image& image, int width, int height);

}  // namespace palisade
