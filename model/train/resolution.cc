#include "model/train/resolution.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/format.h"
#include "model/error.h"
#include "model/tensor/eigen.h"

namespace palisade {

ModelConfig at_resolution(ModelConfig config, int image_size) {
  const int patch = config.vision.patch_size, most = config.text.max_position_embeddings;
  if (image_size < patch || image_size % patch != 0)
    throw ModelError(
        format("pictures of {} a side: not a multiple of the model's patches of {}", image_size, patch));
  config.vision.image_size = image_size;
  if (config.image_tokens() >= most)
    throw ModelError(format("pictures of {} a side make {} tokens, the model has {} positions", image_size,
                            config.image_tokens(), most));
  return config;
}

Matrix resampled_positions(ConstMatrixView positions, int new_grid) {
  const int grid = int(std::lround(std::sqrt(double(positions.rows))));
  const double step = new_grid > 1 ? double(grid - 1) / (new_grid - 1) : 0;
  struct Interpolation {
    int low, high;
    float share;  // of high
  };
  const auto place = [&](int index) {
    const double at = index * step;
    const int low = std::min(int(at), grid - 1);
    return Interpolation{low, std::min(low + 1, grid - 1), float(at - low)};
  };
  const auto between = [](const auto& low, const auto& high, float share) {
    return (low + (high - low) * share).eval();
  };
  Matrix resampled(new_grid * new_grid, positions.cols);
  const auto stored = array_of(positions);
  for (int y = 0; y < new_grid; ++y) {
    for (int x = 0; x < new_grid; ++x) {
      const Interpolation row = place(y), col = place(x);
      const auto along = [&](int line) {
        return between(stored.row(line * grid + col.low), stored.row(line * grid + col.high), col.share);
      };
      array_of(resampled.view()).row(y * new_grid + x) = between(along(row.low), along(row.high), row.share);
    }
  }
  return resampled;
}

}  // namespace palisade
