#pragma once

#include <span>

namespace palisade {

// The hot loops over one row, compiled for several instruction sets and chosen at run time (Highway). `out`
// may be the input.

// x / sqrt(mean(x^2) + eps) * scale; Gemma's `1 + w` is in `scale` already.
void rms_norm(std::span<const float> x, std::span<const float> scale, float eps, std::span<float> out);
// (x - mean) / sqrt(variance + eps) * scale + shift
void layer_norm(std::span<const float> x, std::span<const float> scale, std::span<const float> shift,
                float eps, std::span<float> out);
// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), transformers' gelu_pytorch_tanh
void gelu_tanh(std::span<float> x);
// out = gelu_tanh(gate) * up
void gelu_tanh_gate(std::span<const float> gate, std::span<const float> up, std::span<float> out);
// exp(x - max) / sum
void softmax(std::span<float> x);
// cap * tanh(x / cap), Gemma 2's bound on scores and logits
void softcap(std::span<float> x, float cap);
// x += y
void add(std::span<float> x, std::span<const float> y);
// x *= factor
void scale(std::span<float> x, float factor);
// Turns the pairs (x[i], x[i + n/2]) by the angles whose cosines and sines [n / 2] are given (RoPE).
void rotate_halves(std::span<float> x, std::span<const float> cosine, std::span<const float> sine);

}  // namespace palisade
