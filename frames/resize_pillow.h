#pragma once

#include "frames/image.h"

namespace palisade {

enum class PillowFilter { kBilinear, kBicubic };

// Image.resize of Pillow 13 on RGB to the last bit: antialiased, 22-bit fixed-point weights, two passes with
// the picture rounded to 8 bits between them (Pillow, src/libImaging/Resample.c).
Image resize_as_pillow(const Image& image, int width, int height, PillowFilter filter);

}  // namespace palisade
