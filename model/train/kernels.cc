#include "model/train/kernels.h"

#include <algorithm>
#include <cmath>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/train/kernels.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway asks.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include "model/kernels/kernel_loops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace palisade {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// With q_v = exp(x_v - max) the loss is log(sum q) - sum_v t_v (x_v - max); off the target t is `low`.
TokenLoss CrossEntropy(float* x, std::size_t size, std::size_t target, float smoothing, float weight) {
  const float largest = largest_of(x, size);
  const auto maxima = hn::Set(Floats(), largest);
  const double low = size > 1 ? double(smoothing) / double(size - 1) : 0;
  const double above = sum(
      size, [=](auto v) { return hn::Sub(v, maxima); }, x);
  const double of_target = double(x[target]) - largest;
  map(
      x, size, [=](auto d, auto v) { return hn::Exp(d, hn::Sub(v, hn::Set(d, largest))); }, x);
  const float total = sum(
      size, [](auto v) { return v; }, x);
  const float factor = weight / total, lowered = float(low) * weight;
  map(
      x, size, [=](auto d, auto v) { return hn::MulSub(v, hn::Set(d, factor), hn::Set(d, lowered)); }, x);
  x[target] -= weight * float(1.0 - smoothing - low);
  return {std::log(double(total)) - low * above - (1.0 - smoothing - low) * of_target, of_target == 0};
}

double SumOfSquares(const float* x, std::size_t size) {
  constexpr std::size_t kBlock = 4096;  // f32 sums of short blocks, an f64 sum of them
  double total = 0;
  for (std::size_t first = 0; first < size; first += kBlock) {
    total += sum(
        std::min(kBlock, size - first), [](auto v) { return hn::Mul(v, v); }, x + first);
  }
  return total;
}

void TakeUp(float* sum, float* part, std::size_t size) {
  update(
      size,
      [](auto d, auto& s, auto& p) {
        s = hn::Add(s, p);
        p = hn::Zero(d);
      },
      sum, part);
}

void AdamUpdate(const AdamStep& step, float* weight, float* gradient, float* first, float* second,
                std::size_t size) {
  update(
      size,
      [&](auto d, auto& w, auto& g, auto& m, auto& v) {
        const auto clipped = hn::Mul(g, hn::Set(d, step.clip));
        m = hn::MulAdd(hn::Set(d, step.b1), m, hn::Mul(hn::Set(d, 1 - step.b1), clipped));
        v = hn::MulAdd(hn::Set(d, step.b2), v, hn::Mul(hn::Set(d, 1 - step.b2), hn::Mul(clipped, clipped)));
        const auto deviation = hn::Sqrt(hn::Mul(v, hn::Set(d, step.second_correction)));
        const auto direction = hn::Div(hn::Mul(m, hn::Set(d, step.first_correction)),
                                       hn::Add(deviation, hn::Set(d, step.epsilon)));
        const auto change = hn::MulAdd(direction, hn::Set(d, step.rate), hn::Mul(w, hn::Set(d, step.decay)));
        w = hn::Sub(w, change);
        g = hn::Zero(d);
      },
      weight, gradient, first, second);
}

}  // namespace HWY_NAMESPACE
}  // namespace palisade
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace palisade {

HWY_EXPORT(CrossEntropy);
HWY_EXPORT(SumOfSquares);
HWY_EXPORT(TakeUp);
HWY_EXPORT(AdamUpdate);

TokenLoss cross_entropy(std::span<float> x, std::size_t target, float smoothing, float weight) {
  return HWY_DYNAMIC_DISPATCH(CrossEntropy)(x.data(), x.size(), target, smoothing, weight);
}
double sum_of_squares(std::span<const float> x) {
  return HWY_DYNAMIC_DISPATCH(SumOfSquares)(x.data(), x.size());
}
void take_up(std::span<float> sum, std::span<float> part) {
  HWY_DYNAMIC_DISPATCH(TakeUp)(sum.data(), part.data(), sum.size());
}
void adam_update(const AdamStep& step, std::span<float> weight, std::span<float> gradient,
                 std::span<float> first_moment, std::span<float> second_moment) {
  HWY_DYNAMIC_DISPATCH(AdamUpdate)
  (step, weight.data(), gradient.data(), first_moment.data(), second_moment.data(), weight.size());
}

}  // namespace palisade
#endif
