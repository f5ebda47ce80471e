#pragma once

#include <span>
#include <vector>

#include "frames/image.h"

namespace palisade {

enum class PillowFilter { kBilinear, kBicubic };

// Which input samples make an output sample, and how much of each: weights[i] is of sample first + i, and all
// add up to one.
struct PillowTaps {
  int first = 0;
  std::vector<double> weights;
};
// The taps of every output sample along one axis; none reaches beyond the input.
std::vector<PillowTaps> pillow_taps(int in_size, int out_size, PillowFilter filter);

// Image.resize of Pillow 13 on RGB to the last bit: antialiased, 22-bit fixed-point weights, two passes with
// the picture rounded to 8 bits between them (Pillow, src/libImaging/Resample.c).
Image resize_as_pillow(const Image& image, int width, int height, PillowFilter filter);

// The same of one plane of f32 (Pillow's mode F), which is rounded to f32 between the passes.
// [in_height, in_width] -> [height, width]
std::vector<float> resize_plane_as_pillow(std::span<const float> plane, int in_width, int in_height,
                                          int width, int height, PillowFilter filter);

}  // namespace palisade
