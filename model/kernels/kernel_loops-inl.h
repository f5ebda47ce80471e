// Loops of kernels over rows; once for each instruction set.
#if defined(PALISADE_MODEL_KERNELS_KERNEL_LOOPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PALISADE_MODEL_KERNELS_KERNEL_LOOPS_INL_H_
#undef PALISADE_MODEL_KERNELS_KERNEL_LOOPS_INL_H_
#else
#define PALISADE_MODEL_KERNELS_KERNEL_LOOPS_INL_H_
#endif

#include <hwy/highway.h>

#include <cmath>
#include <cstddef>

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

// operation(lanes of every array at i) changes them in place; the tail goes through buffers.
template <class Operation, class... Arrays>
HWY_INLINE void update(std::size_t size, const Operation& operation, Arrays*... arrays) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  const auto change = [&](auto*... at) {
    [&](auto... v) {
      operation(d, v...);
      (hn::StoreU(v, d, at), ...);
    }(hn::LoadU(d, at)...);
  };
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) change((arrays + i)...);
  if (i == size) return;
  constexpr std::size_t kMaxLanes = HWY_MAX_BYTES / sizeof(float);
  float buffers[sizeof...(Arrays)][kMaxLanes] = {};
  float* const places[] = {arrays...};
  for (std::size_t k = 0; k < sizeof...(Arrays); ++k) std::copy(places[k] + i, places[k] + size, buffers[k]);
  [&]<std::size_t... k>(std::index_sequence<k...>) {
    change(buffers[k]...);
  }
  (std::index_sequence_for<Arrays...>());
  for (std::size_t k = 0; k < sizeof...(Arrays); ++k)
    std::copy(buffers[k], buffers[k] + (size - i), places[k] + i);
}

// Sum over i of term(lanes of each input at i), in four chains, so that none waits for an addition.
template <class Term, class... Inputs>
HWY_INLINE float sum(std::size_t size, const Term& term, const Inputs*... inputs) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  auto a = hn::Zero(d), b = a, c = a, e = a;
  const auto at = [&](std::size_t i) { return term(hn::LoadU(d, inputs + i)...); };
  std::size_t i = 0;
  for (; i + 4 * lanes <= size; i += 4 * lanes) {
    a = hn::Add(a, at(i)), b = hn::Add(b, at(i + lanes));
    c = hn::Add(c, at(i + 2 * lanes)), e = hn::Add(e, at(i + 3 * lanes));
  }
  for (; i + lanes <= size; i += lanes) a = hn::Add(a, at(i));
  float result = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(c, e))));
  for (; i < size; ++i) result += hn::GetLane(term(hn::Set(d, inputs[i])...));
  return result;
}

HWY_INLINE float largest_of(const float* x, std::size_t size) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  auto maxima = hn::Set(d, x[0]);
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) maxima = hn::Max(maxima, hn::LoadU(d, x + i));
  float largest = hn::GetLane(hn::MaxOfLanes(d, maxima));
  for (; i < size; ++i) largest = std::fmax(largest, x[i]);
  return largest;
}

}  // namespace HWY_NAMESPACE
}  // namespace palisade
HWY_AFTER_NAMESPACE();

#endif  // PALISADE_MODEL_KERNELS_KERNEL_LOOPS_INL_H_
