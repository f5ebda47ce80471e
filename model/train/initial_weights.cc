#include "model/train/initial_weights.h"

#include <algorithm>

namespace palisade {

void InitialWeights::fill(const std::string& name, std::span<const std::int64_t> shape, std::size_t first,
                          std::span<float> target) const {
  if (shape.size() > 1) return RandomCheckpoint::fill(name, shape, first, target);
  // Gemma's norms multiply by 1 + w, SigLIP's by w.
  const bool scales = !name.starts_with("language_model.") && name.find("norm") != std::string::npos &&
                      name.ends_with(".weight");
  std::ranges::fill(target, scales ? 1.0f : 0.0f);
}

}  // namespace palisade
