// Where the number of lanes must be known when kernels are compiled; once for each instruction set. At most
// 16, which is how far the columns of a block are apart (row_formats.h).
#if defined(PALISADE_MODEL_KERNELS_FIXED_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PALISADE_MODEL_KERNELS_FIXED_LANES_INL_H_
#undef PALISADE_MODEL_KERNELS_FIXED_LANES_INL_H_
#else
#define PALISADE_MODEL_KERNELS_FIXED_LANES_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace palisade {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kLanes = HWY_HAVE_SCALABLE ? 4 : HWY_MIN(16, HWY_LANES(float));
using Floats = hn::FixedTag<float, kLanes>;
using Integers = hn::FixedTag<std::int32_t, kLanes>;
using Vector = hn::Vec<Floats>;

}  // namespace HWY_NAMESPACE
}  // namespace palisade
HWY_AFTER_NAMESPACE();

#endif  // PALISADE_MODEL_KERNELS_FIXED_LANES_INL_H_
