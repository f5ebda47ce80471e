#include "model/train/dropout.h"

#include "base/random.h"
#include "model/train/buffer.h"

namespace palisade {

void Dropout::apply(MatrixView x, int place) const {
  if (rate <= 0) return;
  const std::uint64_t start = split_mix(seed ^ split_mix(std::uint64_t(place)));
  const auto threshold = std::uint64_t(double(rate) * 4294967296.0);
  const float kept = 1.0f / (1.0f - rate);
  for_row_ranges(x.rows, 10.0 * x.rows * x.cols, [&](int, int first, int count) {
    for (int row = first; row < first + count; ++row) {
      std::uint64_t element = start + std::uint64_t(row) * std::uint64_t(x.cols);
      for (float& value : x.row(row)) value *= split_mix(element++) >> 32 < threshold ? 0.0f : kept;
    }
  });
}

}  // namespace palisade
