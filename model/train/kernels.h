#pragma once

#include <cstddef>
#include <span>

namespace palisade {

// The hot loops of training that inference has no use for (see model/kernels/kernels.h).

struct TokenLoss {
  double loss = 0;
  bool likeliest = false;  // no other token has a larger logit
};
// The cross-entropy -sum_v t_v log softmax(x)_v of one row of logits, where the target has t = 1 - smoothing
// and every other entry smoothing / (size - 1). In place: x becomes `weight` times its own gradient. Returns
// the loss, not weighted.
TokenLoss cross_entropy(std::span<float> x, std::size_t target, float smoothing, float weight);

double sum_of_squares(std::span<const float> x);

// sum += part, which ends as 0.
void take_up(std::span<float> sum, std::span<float> part);

struct AdamStep {
  float clip = 1;  // of the gradient
  float b1 = 0.9f;
  float b2 = 0.999f;
  float epsilon = 1e-8f;
  float first_correction = 1;  // 1 / (1 - b1^steps)
  float second_correction = 1;
  float rate = 0;   // schedule(t) * learning rate
  float decay = 0;  // schedule(t) * weight decay
};
// weight -= rate * m / (sqrt(v) + epsilon) + decay * weight, with the moments' means corrected. The gradient
// is consumed: it ends as 0.
void adam_update(const AdamStep& step, std::span<float> weight, std::span<float> gradient,
                 std::span<float> first_moment, std::span<float> second_moment);

}  // namespace palisade
