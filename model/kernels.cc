#include "model/kernels.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway asks.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace palisade {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;

// out[i] = operation(lanes of each input at i); the tail goes through a buffer so that no lane reads past the
// row.
template <class Operation, class... Inputs>
HWY_INLINE void map(float* out, std::size_t size, const Operation& operation, const Inputs*... inputs) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) hn::StoreU(operation(d, hn::LoadU(d, inputs + i)...), d, out + i);
  if (i == size) return;
  const std::size_t rest = size - i;
  const auto padded = [&](const float* input) {
    HWY_ALIGN float buffer[HWY_MAX_BYTES / sizeof(float)] = {};
    for (std::size_t k = 0; k < rest; ++k) buffer[k] = input[i + k];
    return hn::Load(d, buffer);
  };
  HWY_ALIGN float result[HWY_MAX_BYTES / sizeof(float)];
  hn::Store(operation(d, padded(inputs)...), d, result);
  for (std::size_t k = 0; k < rest; ++k) out[i + k] = result[k];
}

// Sum over i of term(lanes of x at i); `term` gives 0 for 0 padding unless `size` is a multiple of the lanes.
template <class Term>
HWY_INLINE float sum(const float* x, std::size_t size, const Term& term) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  auto total = hn::Zero(d);
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) total = hn::Add(total, term(hn::LoadU(d, x + i)));
  float result = hn::GetLane(hn::SumOfLanes(d, total));
  for (; i < size; ++i) result += hn::GetLane(term(hn::Set(d, x[i])));
  return result;
}

template <class D, class V>
HWY_INLINE V gelu(D d, V x) {
  const auto cubic = hn::MulAdd(hn::Mul(hn::Mul(x, x), x), hn::Set(d, 0.044715f), x);
  // 0.5 (1 + tanh(u)) = 1 / (1 + exp(-2u))
  const auto exponent = hn::Mul(cubic, hn::Set(d, -2.0f * 0.7978845608028654f));
  const auto bounded = hn::Min(exponent, hn::Set(d, 100.0f));
  return hn::Div(x, hn::Add(hn::Set(d, 1.0f), hn::Exp(d, bounded)));
}

void RmsNorm(const float* x, const float* scale, std::size_t size, float eps, float* out) {
  const float squares = sum(x, size, [](auto v) { return hn::Mul(v, v); });
  const float factor = 1.0f / std::sqrt(squares / float(size) + eps);
  map(
      out, size, [=](auto d, auto v, auto s) { return hn::Mul(hn::Mul(v, hn::Set(d, factor)), s); }, x,
      scale);
}

void LayerNorm(const float* x, const float* scale, const float* shift, std::size_t size, float eps,
               float* out) {
  const Floats d;
  const float mean = sum(x, size, [](auto v) { return v; }) / float(size);
  const auto means = hn::Set(d, mean);
  const float squares = sum(x, size, [=](auto v) {
    const auto centred = hn::Sub(v, means);
    return hn::Mul(centred, centred);
  });
  const float factor = 1.0f / std::sqrt(squares / float(size) + eps);
  map(
      out, size,
      [=](auto tag, auto v, auto s, auto b) {
        return hn::MulAdd(hn::Mul(hn::Sub(v, hn::Set(tag, mean)), hn::Set(tag, factor)), s, b);
      },
      x, scale, shift);
}

void Gelu(float* x, std::size_t size) {
  map(
      x, size, [](auto d, auto v) { return gelu(d, v); }, x);
}

void GeluGate(const float* gate, const float* up, std::size_t size, float* out) {
  map(
      out, size, [](auto d, auto g, auto u) { return hn::Mul(gelu(d, g), u); }, gate, up);
}

void Softmax(float* x, std::size_t size) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  auto maxima = hn::Set(d, x[0]);
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) maxima = hn::Max(maxima, hn::LoadU(d, x + i));
  float largest = hn::GetLane(hn::MaxOfLanes(d, maxima));
  for (; i < size; ++i) largest = std::fmax(largest, x[i]);
  map(
      x, size, [=](auto tag, auto v) { return hn::Exp(tag, hn::Sub(v, hn::Set(tag, largest))); }, x);
  const float factor = 1.0f / sum(x, size, [](auto v) { return v; });
  map(
      x, size, [=](auto tag, auto v) { return hn::Mul(v, hn::Set(tag, factor)); }, x);
}

void Softcap(float* x, std::size_t size, float cap) {
  map(
      x, size,
      [=](auto d, auto v) {
        return hn::Mul(hn::Set(d, cap), hn::Tanh(d, hn::Mul(v, hn::Set(d, 1.0f / cap))));
      },
      x);
}

void Add(float* x, const float* y, std::size_t size) {
  map(
      x, size, [](auto, auto a, auto b) { return hn::Add(a, b); }, x, y);
}

void Scale(float* x, std::size_t size, float factor) {
  map(
      x, size, [=](auto d, auto v) { return hn::Mul(v, hn::Set(d, factor)); }, x);
}

void RotateHalves(float* x, const float* cosine, const float* sine, std::size_t half) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= half; i += lanes) {
    const auto first = hn::LoadU(d, x + i), second = hn::LoadU(d, x + half + i);
    const auto c = hn::LoadU(d, cosine + i), s = hn::LoadU(d, sine + i);
    hn::StoreU(hn::Sub(hn::Mul(first, c), hn::Mul(second, s)), d, x + i);
    hn::StoreU(hn::Add(hn::Mul(second, c), hn::Mul(first, s)), d, x + half + i);
  }
  for (; i < half; ++i) {
    const float first = x[i], second = x[half + i];
    x[i] = first * cosine[i] - second * sine[i];
    x[half + i] = second * cosine[i] + first * sine[i];
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace palisade
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace palisade {

HWY_EXPORT(RmsNorm);
HWY_EXPORT(LayerNorm);
HWY_EXPORT(Gelu);
HWY_EXPORT(GeluGate);
HWY_EXPORT(Softmax);
HWY_EXPORT(Softcap);
HWY_EXPORT(Add);
HWY_EXPORT(Scale);
HWY_EXPORT(RotateHalves);

void rms_norm(std::span<const float> x, std::span<const float> scale, float eps, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(RmsNorm)(x.data(), scale.data(), x.size(), eps, out.data());
}
void layer_norm(std::span<const float> x, std::span<const float> scale, std::span<const float> shift,
                float eps, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(LayerNorm)(x.data(), scale.data(), shift.data(), x.size(), eps, out.data());
}
void gelu_tanh(std::span<float> x) {
  HWY_DYNAMIC_DISPATCH(Gelu)(x.data(), x.size());
}
void gelu_tanh_gate(std::span<const float> gate, std::span<const float> up, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(GeluGate)(gate.data(), up.data(), gate.size(), out.data());
}
void softmax(std::span<float> x) {
  if (!x.empty()) HWY_DYNAMIC_DISPATCH(Softmax)(x.data(), x.size());
}
void softcap(std::span<float> x, float cap) {
  HWY_DYNAMIC_DISPATCH(Softcap)(x.data(), x.size(), cap);
}
void add(std::span<float> x, std::span<const float> y) {
  HWY_DYNAMIC_DISPATCH(Add)(x.data(), y.data(), x.size());
}
void scale(std::span<float> x, float factor) {
  HWY_DYNAMIC_DISPATCH(Scale)(x.data(), x.size(), factor);
}
void rotate_halves(std::span<float> x, std::span<const float> cosine, std::span<const float> sine) {
  HWY_DYNAMIC_DISPATCH(RotateHalves)(x.data(), cosine.data(), sine.data(), x.size() / 2);
}

}  // namespace palisade
#endif
