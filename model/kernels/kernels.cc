#include "model/kernels/kernels.h"

#include <algorithm>
#include <cmath>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/kernels.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway asks.
#include <hwy/cache_control.h>
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include "model/kernels/kernel_loops-inl.h"
#include "model/kernels/power_of_two-inl.h"

HWY_BEFORE_NAMESPACE();
namespace palisade {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
constexpr float kRootTwoOverPi = 0.7978845608028654f;
// 2^f for |f| <= 1/2, 1.6e-7 off at most.
constexpr float kPowerFactors[] = {1.327645499e-3f, 9.675540030e-3f, 5.550713465e-2f,
                                   2.402212024e-1f, 6.931469440e-1f, 1.000000119f};

// The gate's slope: gelu(x) = x s with s = 1 / (1 + exp(-2u)), u = sqrt(2 / pi) (x + 0.044715 x^3). Gives s
// and d gelu / dx = s + x s (1 - s) 2 du/dx.
template <class D, class V>
HWY_INLINE V gelu_share(D d, V x) {
  const auto cubic = hn::MulAdd(hn::Mul(hn::Mul(x, x), x), hn::Set(d, 0.044715f), x);
  // 0.5 (1 + tanh(u)) = 1 / (1 + exp(-2u))
  const auto exponent = hn::Mul(cubic, hn::Set(d, -2.0f * kRootTwoOverPi));
  const auto bounded = hn::Min(exponent, hn::Set(d, 100.0f));
  return hn::Div(hn::Set(d, 1.0f), hn::Add(hn::Set(d, 1.0f), hn::Exp(d, bounded)));
}

template <class D, class V>
HWY_INLINE V gelu_slope(D d, V x, V share) {
  const auto twice =
      hn::MulAdd(hn::Mul(x, x), hn::Set(d, 6 * 0.044715f * kRootTwoOverPi), hn::Set(d, 2 * kRootTwoOverPi));
  const auto rest = hn::Mul(share, hn::Sub(hn::Set(d, 1.0f), share));
  // Where the share is 0 or 1 the square may have overflowed.
  const auto bend = hn::IfThenZeroElse(hn::Eq(rest, hn::Zero(d)), hn::Mul(hn::Mul(x, rest), twice));
  return hn::Add(share, bend);
}

template <class D, class V>
HWY_INLINE V gelu(D d, V x) {
  return hn::Mul(x, gelu_share(d, x));
}

// gelu for a forward alone, x / (1 + 2^v).
template <class D, class V>
HWY_INLINE V quick_gelu(D d, V x) {
  constexpr float kFactor = -2.0f * kRootTwoOverPi * kLog2E;
  const auto slope = hn::MulAdd(hn::Mul(x, x), hn::Set(d, kFactor * 0.044715f), hn::Set(d, kFactor));
  const auto bounded = hn::Max(hn::Set(d, -126.0f), hn::Min(hn::Set(d, 126.0f), hn::Mul(x, slope)));
  const auto divisor = hn::Add(hn::Set(d, 1.0f), power_of_two(d, bounded, kPowerFactors));
  return hn::Div(x, divisor);
}

float mean_of(const float* x, std::size_t size) {
  return sum(
             size, [](auto v) { return v; }, x) /
         float(size);
}

float inverse_deviation(const float* x, std::size_t size, float mean, float eps) {
  const auto means = hn::Set(Floats(), mean);
  const float squares = sum(
      size,
      [=](auto v) {
        const auto centred = hn::Sub(v, means);
        return hn::Mul(centred, centred);
      },
      x);
  return 1.0f / std::sqrt(squares / float(size) + eps);
}

void Add(float* x, const float* y, std::size_t size) {
  map(
      x, size, [](auto, auto a, auto b) { return hn::Add(a, b); }, x, y);
}

void RmsNorm(const float* x, const float* scale, std::size_t size, float eps, float* out) {
  const float squares = sum(
      size, [](auto v) { return hn::Mul(v, v); }, x);
  const float factor = 1.0f / std::sqrt(squares / float(size) + eps);
  map(
      out, size, [=](auto d, auto v, auto s) { return hn::Mul(hn::Mul(v, hn::Set(d, factor)), s); }, x,
      scale);
}

void RmsNormBackward(const float* x, const float* scale, std::size_t size, float eps, const float* dy,
                     float* dx, float* dscale) {
  const float squares = sum(
      size, [](auto v) { return hn::Mul(v, v); }, x);
  const float factor = 1.0f / std::sqrt(squares / float(size) + eps);
  const float along = sum(
      size, [](auto v, auto s, auto g) { return hn::Mul(v, hn::Mul(s, g)); }, x, scale, dy);
  const float pull = along * factor * factor * factor / float(size);
  map(
      dx, size,
      [=](auto d, auto before, auto v, auto s, auto g) {
        const auto direct = hn::MulAdd(hn::Mul(s, g), hn::Set(d, factor), before);
        return hn::NegMulAdd(v, hn::Set(d, pull), direct);
      },
      dx, x, scale, dy);
  if (!dscale) return;
  map(
      dscale, size,
      [=](auto d, auto before, auto v, auto g) {
        return hn::MulAdd(hn::Mul(v, hn::Set(d, factor)), g, before);
      },
      dscale, x, dy);
}

void LayerNorm(const float* x, const float* scale, const float* shift, std::size_t size, float eps,
               float* out) {
  const float mean = mean_of(x, size);
  const float factor = inverse_deviation(x, size, mean, eps);
  map(
      out, size,
      [=](auto tag, auto v, auto s, auto b) {
        return hn::MulAdd(hn::Mul(hn::Sub(v, hn::Set(tag, mean)), hn::Set(tag, factor)), s, b);
      },
      x, scale, shift);
}

void LayerNormBackward(const float* x, const float* scale, std::size_t size, float eps, const float* dy,
                       float* dx, float* dscale, float* dshift) {
  const float mean = mean_of(x, size);
  const float factor = inverse_deviation(x, size, mean, eps);
  const auto means = hn::Set(Floats(), mean);
  const float level = sum(
                          size, [](auto s, auto g) { return hn::Mul(s, g); }, scale, dy) /
                      float(size);
  const float along = sum(
      size, [=](auto v, auto s, auto g) { return hn::Mul(hn::Sub(v, means), hn::Mul(s, g)); }, x, scale, dy);
  const float pull = along * factor * factor / float(size);
  map(
      dx, size,
      [=](auto d, auto before, auto v, auto s, auto g) {
        const auto direct = hn::Sub(hn::Mul(s, g), hn::Set(d, level));
        const auto both = hn::NegMulAdd(hn::Sub(v, hn::Set(d, mean)), hn::Set(d, pull), direct);
        return hn::MulAdd(both, hn::Set(d, factor), before);
      },
      dx, x, scale, dy);
  if (dshift) Add(dshift, dy, size);
  if (!dscale) return;
  map(
      dscale, size,
      [=](auto d, auto before, auto v, auto g) {
        const auto normed = hn::Mul(hn::Sub(v, hn::Set(d, mean)), hn::Set(d, factor));
        return hn::MulAdd(normed, g, before);
      },
      dscale, x, dy);
}

void Gelu(float* x, std::size_t size) {
  map(
      x, size, [](auto d, auto v) { return gelu(d, v); }, x);
}

void QuickGelu(float* x, std::size_t size) {
  map(
      x, size, [](auto d, auto v) { return quick_gelu(d, v); }, x);
}

void QuickGeluGate(float* gate, const float* up, std::size_t size) {
  map(
      gate, size, [](auto d, auto g, auto u) { return hn::Mul(quick_gelu(d, g), u); }, gate, up);
}

void GeluBackward(float* x, float* dy, std::size_t size) {
  update(
      size,
      [](auto d, auto& v, auto& g) {
        const auto share = gelu_share(d, v);
        g = hn::Mul(g, gelu_slope(d, v, share));
        v = hn::Mul(v, share);
      },
      x, dy);
}

void GeluGate(const float* gate, const float* up, std::size_t size, float* out) {
  map(
      out, size, [](auto d, auto g, auto u) { return hn::Mul(gelu(d, g), u); }, gate, up);
}

void GeluGateBackward(float* gate, float* up, float* dy, std::size_t size) {
  update(
      size,
      [](auto d, auto& g, auto& u, auto& out) {
        const auto share = gelu_share(d, g);
        const auto opened = hn::Mul(g, share), gradient = out, before = u;
        g = hn::Mul(hn::Mul(gradient, before), gelu_slope(d, g, share));
        u = hn::Mul(gradient, opened);
        out = hn::Mul(opened, before);
      },
      gate, up, dy);
}

void Softmax(float* x, std::size_t size) {
  const float largest = largest_of(x, size);
  map(
      x, size,
      [=](auto d, auto v) {
        const auto exponent = hn::Mul(hn::Sub(v, hn::Set(d, largest)), hn::Set(d, kLog2E));
        const auto vanishes = hn::Lt(exponent, hn::Set(d, -126.0f));
        return hn::IfThenZeroElse(vanishes, power_of_two(d, exponent, kPowerFactors));
      },
      x);
  const float factor = 1.0f / sum(
                                  size, [](auto v) { return v; }, x);
  map(
      x, size, [=](auto tag, auto v) { return hn::Mul(v, hn::Set(tag, factor)); }, x);
}

void SoftmaxBackward(const float* y, float* dy, std::size_t size) {
  const float level = sum(
      size, [](auto p, auto g) { return hn::Mul(p, g); }, y, dy);
  map(
      dy, size, [=](auto d, auto p, auto g) { return hn::Mul(p, hn::Sub(g, hn::Set(d, level))); }, y, dy);
}

void Softcap(float* x, std::size_t size, float cap) {
  map(
      x, size,
      [=](auto d, auto v) {
        return hn::Mul(hn::Set(d, cap), hn::Tanh(d, hn::Mul(v, hn::Set(d, 1.0f / cap))));
      },
      x);
}

void SoftcapBackward(const float* y, float cap, float* dy, std::size_t size) {
  map(
      dy, size,
      [=](auto d, auto v, auto g) {
        const auto tanh = hn::Mul(v, hn::Set(d, 1.0f / cap));
        return hn::Mul(g, hn::NegMulAdd(tanh, tanh, hn::Set(d, 1.0f)));
      },
      y, dy);
}

void Scale(float* x, std::size_t size, float factor) {
  map(
      x, size, [=](auto d, auto v) { return hn::Mul(v, hn::Set(d, factor)); }, x);
}

void RotateHalves(const float* x, const float* cosine, const float* sine, std::size_t half, float* out) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= half; i += lanes) {
    const auto first = hn::LoadU(d, x + i), second = hn::LoadU(d, x + half + i);
    const auto c = hn::LoadU(d, cosine + i), s = hn::LoadU(d, sine + i);
    hn::StoreU(hn::Sub(hn::Mul(first, c), hn::Mul(second, s)), d, out + i);
    hn::StoreU(hn::Add(hn::Mul(second, c), hn::Mul(first, s)), d, out + half + i);
  }
  for (; i < half; ++i) {
    const float first = x[i], second = x[half + i];
    out[i] = first * cosine[i] - second * sine[i];
    out[half + i] = second * cosine[i] + first * sine[i];
  }
}

float Cosine(const float* x, const float* y, std::size_t size) {
  const auto product = [](auto a, auto b) { return hn::Mul(a, b); };
  return sum(size, product, x, y) / std::sqrt(sum(size, product, x, x) * sum(size, product, y, y));
}

// Four chains, so that they wait for memory alone, which is asked ahead: near for the L1 cache, far for
// the second.
std::uint64_t ReadAll(const std::uint64_t* words, std::size_t count) {
  const hn::ScalableTag<std::uint64_t> d;
  const std::size_t lanes = hn::Lanes(d);
  auto a = hn::Zero(d), b = a, c = a, e = a;
  for (std::size_t i = 0; i + 4 * lanes <= count; i += 4 * lanes) {
    for (std::size_t line = i; line < i + 4 * lanes; line += 8) {
      hwy::Prefetch(words + line + 256);
      __builtin_prefetch(words + line + 2048, 0, 2);
    }
    a = hn::Xor(a, hn::LoadU(d, words + i));
    b = hn::Xor(b, hn::LoadU(d, words + i + lanes));
    c = hn::Xor(c, hn::LoadU(d, words + i + 2 * lanes));
    e = hn::Xor(e, hn::LoadU(d, words + i + 3 * lanes));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Xor(hn::Xor(a, b), hn::Xor(c, e))));
}

}  // namespace HWY_NAMESPACE
}  // namespace palisade
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace palisade {

HWY_EXPORT(RmsNorm);
HWY_EXPORT(RmsNormBackward);
HWY_EXPORT(LayerNorm);
HWY_EXPORT(LayerNormBackward);
HWY_EXPORT(Gelu);
HWY_EXPORT(QuickGelu);
HWY_EXPORT(QuickGeluGate);
HWY_EXPORT(GeluBackward);
HWY_EXPORT(GeluGate);
HWY_EXPORT(GeluGateBackward);
HWY_EXPORT(Softmax);
HWY_EXPORT(SoftmaxBackward);
HWY_EXPORT(Softcap);
HWY_EXPORT(SoftcapBackward);
HWY_EXPORT(Add);
HWY_EXPORT(Scale);
HWY_EXPORT(RotateHalves);
HWY_EXPORT(Cosine);
HWY_EXPORT(ReadAll);

void rms_norm(std::span<const float> x, std::span<const float> scale, float eps, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(RmsNorm)(x.data(), scale.data(), x.size(), eps, out.data());
}
void rms_norm_backward(std::span<const float> x, std::span<const float> scale, float eps,
                       std::span<const float> dy, std::span<float> dx, std::span<float> dscale) {
  HWY_DYNAMIC_DISPATCH(RmsNormBackward)
  (x.data(), scale.data(), x.size(), eps, dy.data(), dx.data(), dscale.data());
}
void layer_norm(std::span<const float> x, std::span<const float> scale, std::span<const float> shift,
                float eps, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(LayerNorm)(x.data(), scale.data(), shift.data(), x.size(), eps, out.data());
}
void layer_norm_backward(std::span<const float> x, std::span<const float> scale, float eps,
                         std::span<const float> dy, std::span<float> dx, std::span<float> dscale,
                         std::span<float> dshift) {
  HWY_DYNAMIC_DISPATCH(LayerNormBackward)
  (x.data(), scale.data(), x.size(), eps, dy.data(), dx.data(), dscale.data(), dshift.data());
}
void gelu_tanh(std::span<float> x) {
  HWY_DYNAMIC_DISPATCH(Gelu)(x.data(), x.size());
}
void quick_gelu_tanh(std::span<float> x) {
  HWY_DYNAMIC_DISPATCH(QuickGelu)(x.data(), x.size());
}

void quick_gelu_tanh_gate(std::span<float> gate, std::span<const float> up) {
  HWY_DYNAMIC_DISPATCH(QuickGeluGate)(gate.data(), up.data(), gate.size());
}

void gelu_tanh_backward(std::span<float> x, std::span<float> dy) {
  HWY_DYNAMIC_DISPATCH(GeluBackward)(x.data(), dy.data(), x.size());
}
void gelu_tanh_gate(std::span<const float> gate, std::span<const float> up, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(GeluGate)(gate.data(), up.data(), gate.size(), out.data());
}
void gelu_tanh_gate_backward(std::span<float> gate, std::span<float> up, std::span<float> dy) {
  HWY_DYNAMIC_DISPATCH(GeluGateBackward)(gate.data(), up.data(), dy.data(), gate.size());
}
void softmax(std::span<float> x) {
  if (!x.empty()) HWY_DYNAMIC_DISPATCH(Softmax)(x.data(), x.size());
}
void softmax_backward(std::span<const float> y, std::span<float> dy) {
  HWY_DYNAMIC_DISPATCH(SoftmaxBackward)(y.data(), dy.data(), y.size());
}
void softcap(std::span<float> x, float cap) {
  HWY_DYNAMIC_DISPATCH(Softcap)(x.data(), x.size(), cap);
}
void softcap_backward(std::span<const float> y, float cap, std::span<float> dy) {
  HWY_DYNAMIC_DISPATCH(SoftcapBackward)(y.data(), cap, dy.data(), y.size());
}
void add(std::span<float> x, std::span<const float> y) {
  HWY_DYNAMIC_DISPATCH(Add)(x.data(), y.data(), x.size());
}
void scale(std::span<float> x, float factor) {
  HWY_DYNAMIC_DISPATCH(Scale)(x.data(), x.size(), factor);
}
void rotate_halves(std::span<const float> x, std::span<const float> cosine, std::span<const float> sine,
                   std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(RotateHalves)(x.data(), cosine.data(), sine.data(), x.size() / 2, out.data());
}

float cosine(std::span<const float> x, std::span<const float> y) {
  return HWY_DYNAMIC_DISPATCH(Cosine)(x.data(), y.data(), x.size());
}

std::uint64_t read_all(std::span<const std::uint64_t> words) {
  return HWY_DYNAMIC_DISPATCH(ReadAll)(words.data(), words.size());
}

}  // namespace palisade
#endif
