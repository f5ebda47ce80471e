#pragma once

#include "model/config/model_config.h"
#include "model/weights/checkpoint.h"

namespace palisade {

// The configuration for pictures of `image_size` a side. Throws Error where that is no multiple of the
// patch size or makes more tokens than the language model has positions.
ModelConfig at_resolution(ModelConfig config, int image_size);

// Learned positions [grid^2, width] resampled to [new_grid^2, width]: bilinear, corner to corner (big_vision,
// models/vit.py: resample_posemb).
Matrix resampled_positions(ConstMatrixView positions, int new_grid);

}  // namespace palisade
