#include "model/gemma/rotary.h"

#include <cmath>

namespace palisade {

Rotary::Rotary(const TextConfig& config) {
  for (int i = 0; i < config.head_dim / 2; ++i) {
    const float power = std::pow(config.rope_theta, float(2 * i) / float(config.head_dim));
    inverse_frequencies_.push_back(1.0f / power / config.rope_factor);
  }
}

void Rotary::angles(int position, std::span<float> cosine, std::span<float> sine) const {
  for (int i = 0; i < half(); ++i) {
    const float angle = float(position + 1) * inverse_frequencies_[std::size_t(i)];
    cosine[std::size_t(i)] = std::cos(angle);
    sine[std::size_t(i)] = std::sin(angle);
  }
}

}  // namespace palisade
