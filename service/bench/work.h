#pragma once

#include "model/config/model_config.h"

namespace palisade {

// The least work of a stage, whoever does it: floating-point operations (a multiply-add counts two), and
// bytes of weights, keys and values read once.
struct Work {
  double linear_operations = 0;
  double attention_operations = 0;
  double weight_bytes = 0;
  double cache_bytes = 0;

  double operations() const { return linear_operations + attention_operations; }
  double bytes() const { return weight_bytes + cache_bytes; }
  // The part that is matmul by weights.
  Work linear() const { return {.linear_operations = linear_operations, .weight_bytes = weight_bytes}; }
};

// Images through SigLIP and projection.
Work work_of_encode(const ModelConfig& config, int images, double bytes_per_weight);
// A prompt of `positions` that all attend to each other, with the logits of the last one.
Work work_of_prefill(const ModelConfig& config, int positions, double bytes_per_weight);
// One token for each of `sequences`, each `context` positions long.
Work work_of_step(const ModelConfig& config, int sequences, int context, double bytes_per_weight);

}  // namespace palisade
