#pragma once

#include <array>
#include <filesystem>

#include "frames/image.h"
#include "frames/resize.h"
#include "model/tensor/matrix.h"

namespace palisade {

// What a folder's image processor does: how a picture becomes pixel values.
struct Preprocessor {
  int image_size = 224;
  ResizePreset resize = ResizePreset::kHfBicubic;
  double rescale_factor = 1.0 / 255.0;
  std::array<float, 3> mean = {0.5f, 0.5f, 0.5f};
  std::array<float, 3> deviation = {0.5f, 0.5f, 0.5f};

  // Resized to the square unless it is one already.
  Image to_square(const Image& image) const;
  // (rescale(sample) - mean) / deviation of a square image. [3, image_size * image_size]
  Matrix pixel_values(const Image& square) const;
  bool operator==(const Preprocessor&) const = default;
};

// Reads image_processor of FOLDER/processor_config.json or, where that has none, preprocessor_config.json;
// without either, SigLIP's defaults at `image_size`. Throws Error where it asks for something Palisade
// does not do, for a size other than `image_size`, or for another number of tokens than `image_tokens` (0:
// whatever it says).
Preprocessor read_preprocessor(const std::filesystem::path& folder, int image_size, int image_tokens = 0);

}  // namespace palisade
