#pragma once

#include <span>
#include <vector>

#include "model/config/model_config.h"

namespace palisade {

// RoPE's angles: pair i of a head turns by (position + 1) / theta^(2i / head_dim) / factor, as transformers
// counts.
class Rotary {
 public:
  explicit Rotary(const TextConfig& config);

  int half() const { return int(inverse_frequencies_.size()); }
  // cosine and sine [head_dim / 2] of one position's angles
  void angles(int position, std::span<float> cosine, std::span<float> sine) const;

 private:
  std::vector<float> inverse_frequencies_;  // [head_dim / 2]
};

}  // namespace palisade
