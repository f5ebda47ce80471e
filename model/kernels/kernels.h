#pragma once

#include <cstdint>
#include <span>

namespace palisade {

// The hot loops over one row, compiled for several instruction sets and chosen at run time (Highway). `out`
// may be the input. Beside each stands its derivative: `dy` is the loss's gradient of what the forward wrote,
// `dx` of what it read.

// x / sqrt(mean(x^2) + eps) * scale; Gemma's `1 + w` is in `scale` already.
void rms_norm(std::span<const float> x, std::span<const float> scale, float eps, std::span<float> out);
// Adds to dx, and to dscale where that is not empty.
void rms_norm_backward(std::span<const float> x, std::span<const float> scale, float eps,
                       std::span<const float> dy, std::span<float> dx, std::span<float> dscale);
// (x - mean) / sqrt(variance + eps) * scale + shift
void layer_norm(std::span<const float> x, std::span<const float> scale, std::span<const float> shift,
                float eps, std::span<float> out);
// Adds to dx, and to dscale and dshift where they are not empty.
void layer_norm_backward(std::span<const float> x, std::span<const float> scale, float eps,
                         std::span<const float> dy, std::span<float> dx, std::span<float> dscale,
                         std::span<float> dshift);
// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), transformers' gelu_pytorch_tanh
void gelu_tanh(std::span<float> x);
// The same within 2e-7 |x| in half the time, for a forward that nothing goes back through: the trainer keeps
// to the other, which made the demo model.
void quick_gelu_tanh(std::span<float> x);
// In place: gate becomes gelu_tanh(gate) * up.
void quick_gelu_tanh_gate(std::span<float> gate, std::span<const float> up);
// In place: x becomes gelu_tanh(x) and dy becomes dx.
void gelu_tanh_backward(std::span<float> x, std::span<float> dy);
// out = gelu_tanh(gate) * up
void gelu_tanh_gate(std::span<const float> gate, std::span<const float> up, std::span<float> out);
// In place: gate and up become their gradients and dy becomes gelu_tanh(gate) * up.
void gelu_tanh_gate_backward(std::span<float> gate, std::span<float> up, std::span<float> dy);
// exp(x - max) / sum
void softmax(std::span<float> x);
// In place: dy becomes dx; `y` is what softmax wrote.
void softmax_backward(std::span<const float> y, std::span<float> dy);
// cap * tanh(x / cap), Gemma 2's bound on scores and logits
void softcap(std::span<float> x, float cap);
// In place: dy becomes dx; `y` is what softcap wrote.
void softcap_backward(std::span<const float> y, float cap, std::span<float> dy);
// x += y
void add(std::span<float> x, std::span<const float> y);
// x *= factor
void scale(std::span<float> x, float factor);
// Turns the pairs (x[i], x[i + n/2]) by the angles whose cosines and sines [n / 2] are given (RoPE); `out`
// may be x. Its derivative turns them back: the same with negated sines.
void rotate_halves(std::span<const float> x, std::span<const float> cosine, std::span<const float> sine,
                   std::span<float> out);
// Of the angle between two rows; NaN where one is all zeros.
float cosine(std::span<const float> x, std::span<const float> y);

// Some sum of all words, in whole vectors: nothing but the reading of memory.
std::uint64_t read_all(std::span<const std::uint64_t> words);

}  // namespace palisade
