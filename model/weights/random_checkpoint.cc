#include "model/weights/random_checkpoint.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/random.h"
#include "model/tensor/parallel.h"

namespace palisade {

// The head is tied, as in every released PaliGemma.
bool RandomCheckpoint::has(const std::string& name) const {
  return name.find("lm_head") == std::string::npos;
}

void RandomCheckpoint::fill(const std::string& name, std::span<const std::int64_t> shape, std::size_t first,
                            std::span<float> target) const {
  constexpr std::size_t kPiece = 1 << 16;
  const std::uint64_t start = split_mix(seed_ ^ hash_of(name)) + first;
  // Uniform of variance 1 / inputs, so that a matmul keeps the size of what goes in.
  const std::int64_t row =
      std::accumulate(shape.begin() + 1, shape.end(), std::int64_t(1), std::multiplies<>());
  const double inputs = shape.size() > 1 ? double(std::max<std::int64_t>(row, 1)) : 1e4;
  const float most = float(std::sqrt(3.0 / inputs));
  const double work = 10.0 * double(target.size());
  parallel_for_pieces(target.size(), kPiece, work, [&](std::size_t begin, std::size_t count) {
    for (std::size_t i = begin; i < begin + count; ++i) {
      const auto bits = std::int32_t(split_mix(start + i) >> 32);
      target[i] = float(bits) * (most / 2147483648.0f);
    }
  });
}

}  // namespace palisade
