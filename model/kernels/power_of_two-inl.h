// Powers of two, of which exp() is made; once for each instruction set.
#if defined(PALISADE_MODEL_KERNELS_POWER_OF_TWO_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PALISADE_MODEL_KERNELS_POWER_OF_TWO_INL_H_
#undef PALISADE_MODEL_KERNELS_POWER_OF_TWO_INL_H_
#else
#define PALISADE_MODEL_KERNELS_POWER_OF_TWO_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>

HWY_BEFORE_NAMESPACE();
namespace palisade {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// So large that its last bit is worth 1: a sum with it is rounded to a whole number, which its last bits are.
constexpr float kRounder = 12582912.0f;
constexpr float kLog2E = 1.44269504f;  // exp(v) = 2^(v kLog2E)

// 2^v for |v| <= 126: 2^n p(f) with |f| <= 1/2, the factors of p from its highest power on.
template <class D, class V, std::size_t kFactors>
HWY_INLINE V power_of_two(D d, V v, const float (&factors)[kFactors]) {
  const auto rounder = hn::Set(d, kRounder), shifted = hn::Add(v, rounder);
  const auto rest = hn::Sub(v, hn::Sub(shifted, rounder));
  auto power = hn::Set(d, factors[0]);
  for (std::size_t i = 1; i < kFactors; ++i) power = hn::MulAdd(rest, power, hn::Set(d, factors[i]));
  const hn::RebindToSigned<D> integers;
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(integers, shifted));
  return hn::BitCast(d, hn::Add(hn::BitCast(integers, power), exponent));
}

}  // namespace HWY_NAMESPACE
}  // namespace palisade
HWY_AFTER_NAMESPACE();

#endif  // PALISADE_MODEL_KERNELS_POWER_OF_TWO_INL_H_
