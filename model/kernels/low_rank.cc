#include "model/kernels/low_rank.h"

#include <algorithm>
#include <bit>
#include <cassert>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/low_rank.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway asks.
#include <hwy/highway.h>

#include "model/kernels/fixed_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace palisade {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

HWY_INLINE auto floats_at(const float* from) {
  return hn::LoadU(Floats(), from);
}
HWY_INLINE auto floats_at(const std::uint16_t* from) {
  const hn::FixedTag<std::uint32_t, kLanes> words;
  const hn::Rebind<std::uint16_t, Floats> halves;
  return hn::BitCast(Floats(), hn::ShiftLeft<16>(hn::PromoteTo(words, hn::LoadU(halves, from))));
}
HWY_INLINE float float_at(const float* from) {
  return *from;
}
HWY_INLINE float float_at(const std::uint16_t* from) {
  return std::bit_cast<float>(std::uint32_t(*from) << 16);
}

// Rows of `a` one below the other, so that each piece of x is read once for all of them.
template <std::size_t kRows, class Number>
HWY_INLINE void multiply_some(const Number* a, const float* x, std::size_t size, float* out) {
  const Floats d;
  Vector even[kRows], odd[kRows];
  for (std::size_t r = 0; r < kRows; ++r) even[r] = odd[r] = hn::Zero(d);
  std::size_t i = 0;
  for (; i + 2 * kLanes <= size; i += 2 * kLanes) {
    const Vector first = hn::LoadU(d, x + i), second = hn::LoadU(d, x + i + kLanes);
    for (std::size_t r = 0; r < kRows; ++r) {
      even[r] = hn::MulAdd(floats_at(a + r * size + i), first, even[r]);
      odd[r] = hn::MulAdd(floats_at(a + r * size + i + kLanes), second, odd[r]);
    }
  }
  for (std::size_t r = 0; r < kRows; ++r) {
    out[r] = hn::GetLane(hn::SumOfLanes(d, hn::Add(even[r], odd[r])));
    for (std::size_t k = i; k < size; ++k) out[r] += float_at(a + r * size + k) * x[k];
  }
}

template <class Number>
HWY_INLINE void multiply_all(const Number* a, const float* x, std::size_t size, float* out,
                             std::size_t rows) {
  std::size_t row = 0;
  for (; row + 4 <= rows; row += 4) multiply_some<4>(a + row * size, x, size, out + row);
  for (; row < rows; ++row) multiply_some<1>(a + row * size, x, size, out + row);
}

// As many columns at a time as there are registers for.
template <class Number>
HWY_INLINE void add_whole_panel(const Number* panel, const float* factors, std::size_t count, float* y) {
  const Floats d;
  constexpr std::size_t kColumns = kPanelColumns, kVectors = HWY_MIN(8, kColumns / kLanes);
  for (std::size_t at = 0; at < kColumns; at += kVectors * kLanes) {
    Vector sums[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) sums[v] = hn::LoadU(d, y + at + v * kLanes);
    for (std::size_t r = 0; r < count; ++r) {
      const Vector factor = hn::Set(d, factors[r]);
      for (std::size_t v = 0; v < kVectors; ++v)
        sums[v] = hn::MulAdd(floats_at(panel + r * kColumns + at + v * kLanes), factor, sums[v]);
    }
    for (std::size_t v = 0; v < kVectors; ++v) hn::StoreU(sums[v], d, y + at + v * kLanes);
  }
}

template <class Number>
HWY_INLINE void add_columns(const Number* panel, const float* factors, std::size_t count, float* y,
                            std::size_t columns) {
  constexpr std::size_t kColumns = kPanelColumns;
  if (columns == kColumns) return add_whole_panel(panel, factors, count, y);
  HWY_ALIGN float padded[kColumns] = {};
  std::copy_n(y, columns, padded);
  add_whole_panel(panel, factors, count, padded);
  std::copy_n(padded, columns, y);
}

void MultiplyRows(const float* a, const float* x, std::size_t size, float* out, std::size_t rows) {
  multiply_all(a, x, size, out, rows);
}
void MultiplyHalfRows(const std::uint16_t* a, const float* x, std::size_t size, float* out,
                      std::size_t rows) {
  multiply_all(a, x, size, out, rows);
}
void AddPanel(const float* panel, const float* factors, std::size_t count, float* y, std::size_t columns) {
  add_columns(panel, factors, count, y, columns);
}
void AddHalfPanel(const std::uint16_t* panel, const float* factors, std::size_t count, float* y,
                  std::size_t columns) {
  add_columns(panel, factors, count, y, columns);
}

}  // namespace HWY_NAMESPACE
}  // namespace palisade
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace palisade {

HWY_EXPORT(MultiplyRows);
HWY_EXPORT(MultiplyHalfRows);
HWY_EXPORT(AddPanel);
HWY_EXPORT(AddHalfPanel);

void multiply_rows(std::span<const float> a, std::span<const float> x, std::span<float> out) {
  assert(a.size() == x.size() * out.size());
  HWY_DYNAMIC_DISPATCH(MultiplyRows)(a.data(), x.data(), x.size(), out.data(), out.size());
}
void multiply_rows(std::span<const std::uint16_t> a, std::span<const float> x, std::span<float> out) {
  assert(a.size() == x.size() * out.size());
  HWY_DYNAMIC_DISPATCH(MultiplyHalfRows)(a.data(), x.data(), x.size(), out.data(), out.size());
}
void add_panel(std::span<const float> panel, std::span<const float> factors, std::span<float> y) {
  assert(panel.size() == factors.size() * kPanelColumns && y.size() <= kPanelColumns);
  HWY_DYNAMIC_DISPATCH(AddPanel)(panel.data(), factors.data(), factors.size(), y.data(), y.size());
}
void add_panel(std::span<const std::uint16_t> panel, std::span<const float> factors, std::span<float> y) {
  assert(panel.size() == factors.size() * kPanelColumns && y.size() <= kPanelColumns);
  HWY_DYNAMIC_DISPATCH(AddHalfPanel)(panel.data(), factors.data(), factors.size(), y.data(), y.size());
}

}  // namespace palisade
#endif
