#pragma once

#include "model/config/model_config.h"

namespace palisade {

// What one stage must do at the least, whatever runs it: floating-point operations (a multiply and an add are
// two), and the bytes of weights, keys and values that are read once.
struct Work {
  double linear_operations = 0;
  double attention_operations = 0;
  double weight_bytes = 0;
  double cache_bytes = 0;

  double operations() const { return linear_operations + attention_operations; }
  double bytes() const { return weight_bytes + cache_bytes; }
  // Of it, the matmuls by weights.
  Work linear() const { return {.linear_operations = linear_operations, .weight_bytes = weight_bytes}; }
};

// Images through SigLIP and projection.
Work work_of_encode(const ModelConfig& config, int images, double bytes_per_weight);
// One prompt of `positions` that all see each other; logits of the last one alone.
Work work_of_prefill(const ModelConfig& config, int positions, double bytes_per_weight);
// One token of each of `sequences` that are `context` positions long.
Work work_of_step(const ModelConfig& config, int sequences, int context, double bytes_per_weight);

}  // namespace palisade
