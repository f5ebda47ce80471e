#include "model/kernels/row_formats.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "model/tensor/memory.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/row_formats.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway asks.
#include <hwy/highway.h>

#include "model/kernels/fixed_lanes-inl.h"
#include "model/kernels/power_of_two-inl.h"

HWY_BEFORE_NAMESPACE();
namespace palisade {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

HWY_INLINE void butterfly(Vector& a, Vector& b) {
  const Vector difference = hn::Sub(a, b);
  a = hn::Add(a, b);
  b = difference;
}

// The butterflies between lanes that are DISTANCE apart, given each lane's partner.
template <std::size_t kDistance>
HWY_INLINE Vector within(Vector v, Vector partner) {
  HWY_ALIGN static constexpr float kSigns[4][16] = {{1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1},
                                                    {1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1},
                                                    {1, 1, 1, 1, -1, -1, -1, -1, 1, 1, 1, 1, -1, -1, -1, -1},
                                                    {1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1, -1}};
  return hn::MulAdd(v, hn::LoadU(Floats(), kSigns[std::countr_zero(kDistance)]), partner);
}

HWY_INLINE Vector within_all(Vector v) {
#if HWY_TARGET != HWY_SCALAR
  v = within<1>(v, hn::Shuffle2301(v));
  v = within<2>(v, hn::Shuffle1032(v));
  if constexpr (kLanes > 4) v = within<4>(v, hn::SwapAdjacentBlocks(v));
  if constexpr (kLanes > 8) v = within<8>(v, hn::ConcatLowerUpper(Floats(), v, v));
#endif
  return v;
}

// A block by the unscaled Hadamard matrix: butterflies between values 64, 32 and 16 apart, those within a
// vector, then what is left where a vector is shorter than 16. Lane by lane `largest` becomes the largest
// magnitude, and `poison` NaN for a value not finite.
HWY_INLINE void rotate_block(const float* HWY_RESTRICT x, float* HWY_RESTRICT out, Vector& largest,
                             Vector& poison) {
  const Floats d;
  for (std::size_t at = 0; at < 16; at += kLanes) {
    Vector a = hn::LoadU(d, x + at), b = hn::LoadU(d, x + at + 16), c = hn::LoadU(d, x + at + 32),
           e = hn::LoadU(d, x + at + 48), f = hn::LoadU(d, x + at + 64), g = hn::LoadU(d, x + at + 80),
           h = hn::LoadU(d, x + at + 96), i = hn::LoadU(d, x + at + 112);
    butterfly(a, f), butterfly(b, g), butterfly(c, h), butterfly(e, i);
    butterfly(a, c), butterfly(b, e), butterfly(f, h), butterfly(g, i);
    butterfly(a, b), butterfly(c, e), butterfly(f, g), butterfly(h, i);
    poison = hn::MulAdd(a, hn::Zero(d), poison);
    const auto store = [&](Vector v, std::size_t to) {
      const Vector whole = within_all(v);
      if constexpr (kLanes == 16) largest = hn::Max(largest, hn::Abs(whole));
      hn::StoreU(whole, d, out + to);
    };
    store(a, at), store(b, at + 16), store(c, at + 32), store(e, at + 48);
    store(f, at + 64), store(g, at + 80), store(h, at + 96), store(i, at + 112);
  }
  for (std::size_t distance = 8; distance >= kLanes; distance /= 2) {
    for (std::size_t at = 0; at < std::size_t(kRotatedBlock); at += kLanes) {
      if (at & distance) continue;
      Vector a = hn::LoadU(d, out + at), b = hn::LoadU(d, out + at + distance);
      butterfly(a, b);
      if (distance == kLanes) largest = hn::Max(largest, hn::Max(hn::Abs(a), hn::Abs(b)));
      hn::StoreU(a, d, out + at), hn::StoreU(b, d, out + at + distance);
    }
  }
}

// `most` becomes the largest magnitude. Returns 0, or NaN for a value not finite.
float RotateUnscaled(const float* x, std::size_t size, float* out, float& most) {
  constexpr std::size_t kBlock = kRotatedBlock;
  const Floats d;
  Vector largest = hn::Zero(d), poison = hn::Zero(d);
  std::size_t at = 0;
  for (; at + kBlock <= size; at += kBlock) rotate_block(x + at, out + at, largest, poison);
  if (at < size) {
    HWY_ALIGN float padded[kBlock] = {};
    std::copy(x + at, x + size, padded);
    rotate_block(padded, out + at, largest, poison);
  }
  most = hn::GetLane(hn::MaxOfLanes(d, largest));
  return hn::GetLane(hn::SumOfLanes(d, poison));
}

// `size` is a multiple of a block, `most` the largest magnitude. `shift` is added to every byte. Returns the
// quantisation scale of x.
float Quantise(const float* x, std::size_t size, float most, int shift, std::uint8_t* out) {
  const Floats d;
  const hn::FixedTag<std::uint32_t, kLanes> integers;
  const hn::Rebind<std::uint8_t, Floats> bytes;
  // Below that 127 / most is not finite.
  if (!(most > 1e-30f)) {
    std::memset(out, shift, size);
    return 0;
  }
  const Vector per_scale = hn::Set(d, 127.0f / most), rounder = hn::Set(d, kRounder + float(shift));
  for (std::size_t i = 0; i < size; i += kLanes) {
    const auto rounded = hn::BitCast(integers, hn::MulAdd(hn::LoadU(d, x + i), per_scale, rounder));
    hn::StoreU(hn::U8FromU32(rounded), bytes, out + i);
  }
  return most / 127.0f;
}

void ScaleSums(float* sums, std::size_t size, float scale, const float* scales, const std::int32_t* shifts,
               const float* bias) {
  const Floats d;
  const Vector all = hn::Set(d, scale);
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    const auto shifted = hn::BitCast(Integers(), hn::LoadU(d, sums + i));
    const Vector sum = hn::ConvertTo(d, hn::Sub(shifted, hn::LoadU(Integers(), shifts + i)));
    const Vector factor = hn::Mul(all, hn::LoadU(d, scales + i));
    hn::StoreU(bias ? hn::MulAdd(sum, factor, hn::LoadU(d, bias + i)) : hn::Mul(sum, factor), d, sums + i);
  }
  for (; i < size; ++i) {
    const auto sum = float(std::bit_cast<std::int32_t>(sums[i]) - shifts[i]);
    sums[i] = std::fma(sum, scale * scales[i], bias ? bias[i] : 0);  // one rounding, as above
  }
}

HWY_INLINE void store_bf16(Vector v, std::uint16_t* out) {
  const hn::FixedTag<std::uint32_t, kLanes> bits;
  const hn::Rebind<std::uint16_t, Floats> halves;
  const auto all = hn::BitCast(bits, v);
  const auto odd = hn::And(hn::ShiftRight<16>(all), hn::Set(bits, 1));
  const auto near = hn::ShiftRight<16>(hn::Add(hn::Add(all, hn::Set(bits, 0x7fff)), odd));
  // Of some NaNs the sum would not be one.
  const auto nan = hn::Or(hn::ShiftRight<16>(all), hn::Set(bits, 0x40));
  const auto rounded =
      hn::IfThenElse(hn::MaskFromVec(hn::BitCast(bits, hn::VecFromMask(Floats(), hn::IsNaN(v)))), nan, near);
  hn::StoreU(hn::DemoteTo(halves, hn::BitCast(Integers(), rounded)), halves, out);
}

void ToBf16(const float* x, std::size_t size, std::uint16_t* out) {
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) store_bf16(hn::LoadU(Floats(), x + i), out + i);
  for (; i < size; ++i) {
    const auto all = std::bit_cast<std::uint32_t>(x[i]);
    const bool nan = (all & 0x7fffffff) > 0x7f800000;
    out[i] = std::uint16_t(nan ? all >> 16 | 0x40 : (all + 0x7fff + ((all >> 16) & 1)) >> 16);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace palisade
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace palisade {
namespace {

constexpr float kScale = 0.08838834764831845f;  // 1 / sqrt(128)

// A row of the thread at work, padded to blocks.
std::span<float> scratch(std::size_t size) {
  thread_local Block<std::byte> row;
  return grown<float>(row, size);
}

}  // namespace

HWY_EXPORT(RotateUnscaled);
HWY_EXPORT(Quantise);
HWY_EXPORT(ScaleSums);
HWY_EXPORT(ToBf16);

void to_bf16(std::span<const float> x, std::span<std::uint16_t> out) {
  HWY_DYNAMIC_DISPATCH(ToBf16)(x.data(), x.size(), out.data());
}

void from_bf16(std::span<const std::uint16_t> x, std::span<float> out) {
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = std::bit_cast<float>(std::uint32_t(x[i]) << 16);
}

void rotate(std::span<const float> x, std::span<float> out) {
  float most;
  HWY_DYNAMIC_DISPATCH(RotateUnscaled)(x.data(), x.size(), out.data(), most);
  for (float& value : out) value *= kScale;
}

// `poison` makes what is not finite show in the matmul, as it would in f32.
static float quantise(std::span<const float> x, int shift, std::span<std::uint8_t> out) {
  const auto rotated = scratch(out.size());
  float most;
  const float poison = HWY_DYNAMIC_DISPATCH(RotateUnscaled)(x.data(), x.size(), rotated.data(), most);
  const float scale = HWY_DYNAMIC_DISPATCH(Quantise)(rotated.data(), rotated.size(), most, shift, out.data());
  return scale * kScale + poison;
}
float quantise_rotated(std::span<const float> x, std::span<std::int8_t> out) {
  return quantise(x, 0, {reinterpret_cast<std::uint8_t*>(out.data()), out.size()});
}
float quantise_rotated(std::span<const float> x, std::span<std::uint8_t> out) {
  return quantise(x, kShift, out);
}

void scale_sums(std::span<float> sums, float scale, const ColumnScales& columns) {
  HWY_DYNAMIC_DISPATCH(ScaleSums)
  (sums.data(), sums.size(), scale, columns.scales.data(), columns.shifts.data(),
   columns.bias.empty() ? nullptr : columns.bias.data());
}

}  // namespace palisade
#endif
