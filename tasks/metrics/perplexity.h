#pragma once

#include <span>

namespace palisade {

// The loss of a text in nats, big_vision's evaluator perplexity; not its exponential.
struct PerplexityScore {
  double sum = 0;  // of the targets' losses by their weights
  double avg = 0;  // that by the sum of the weights; 0 without targets
};

// `logits` are of every token but the last: [tokens - 1, vocabulary]. `weights` are of all tokens; the first
// one is no target. Each token is below `vocabulary`.
PerplexityScore perplexity(std::span<const float> logits, std::span<const int> tokens,
                           std::span<const float> weights, std::size_t vocabulary);

}  // namespace palisade
