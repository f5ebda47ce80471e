#pragma once

#include <optional>
#include <string_view>

#include "frames/image.h"

namespace palisade {

// How a picture becomes the model's square. Implementations differ, so the preset is recorded in every event.
enum class ResizePreset {
  kHfBicubic,     // Pillow's BICUBIC: antialiased, 8-bit fixed point, equal to the last bit
  kHfBilinear,    // Pillow's BILINEAR, as above; what a preprocessor_config.json with "resample": 2 asks for
  kBvBilinear,    // big_vision (TensorFlow) bilinear without antialias, rounded to 8 bits
  kBvBilinearAa,  // the same with antialias
  kBvVideoFloat,  // bilinear without antialias, kept as f32
};

std::string_view name_of(ResizePreset preset);
std::optional<ResizePreset> resize_preset_of(std::string_view name);

// Resizes an 8-bit image to width x height; the aspect ratio is not kept. Both sides are at least 1.
Image resize(const Image& image, int width, int height, ResizePreset preset);

}  // namespace palisade
