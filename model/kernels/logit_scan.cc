#include "model/kernels/logit_scan.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <limits>

#include "model/kernels/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/logit_scan.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway asks.
#include <hwy/highway.h>

#include "model/kernels/fixed_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace palisade {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kDoubles = HWY_MAX(1, kLanes / 2);
using Doubles = hn::FixedTag<double, kDoubles>;

// Every instruction set adds up the same lanes in the same order, and multiplies and adds apart (the build
// keeps the compiler from fusing them here), so that all have the same bits.
constexpr std::size_t kStep = 16;
constexpr std::size_t kVectors = kStep / kLanes, kDoubleVectors = kStep / kDoubles;
static_assert(LogitScan::kBlock % kStep == 0);
constexpr float kMinExponent = -87.0f;  // what is less likely than exp() of it is lost in a sum of 1 or more
constexpr float kLog2E = 1.44269504f;
// So large that its last bit is worth 1: a sum with it is rounded to a whole number, which its last bits are.
constexpr float kRounder = 12582912.0f;
// ln 2 in two parts, of which the first has so few bits that its products by whole numbers are exact.
constexpr float kLn2 = 0.693359375f, kLn2Rest = -2.121944417e-4f;
// exp(r) = 1 + r + r^2 q(r) for |r| <= ln 2 / 2, 1.1e-8 off at most; q's factors from its highest power on.
constexpr float kFactors[] = {1.392625039e-3f, 8.363232948e-3f, 4.166655242e-2f, 1.666657627e-1f, 0.5f};

// exp(v) for v <= 0, exactly 1 for 0.
HWY_INLINE Vector exponential(Vector v) {
  const Floats d;
  const Integers integers;
  v = hn::Max(v, hn::Set(d, kMinExponent));
  const auto rounder = hn::Set(d, kRounder), shifted = hn::Add(hn::Mul(v, hn::Set(d, kLog2E)), rounder);
  const auto twos = hn::Sub(shifted, rounder);
  const auto rest = hn::Sub(hn::Sub(v, hn::Mul(twos, hn::Set(d, kLn2))), hn::Mul(twos, hn::Set(d, kLn2Rest)));
  auto q = hn::Set(d, kFactors[0]);
  for (std::size_t i = 1; i < std::size(kFactors); ++i)
    q = hn::Add(hn::Mul(q, rest), hn::Set(d, kFactors[i]));
  const auto power = hn::Add(hn::Add(hn::Mul(hn::Mul(rest, rest), q), rest), hn::Set(d, 1.0f));
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(integers, shifted));
  return hn::BitCast(d, hn::Add(hn::BitCast(integers, power), exponent));
}

// operation(16 logits) for the whole row, the rest of which stands before copies of `padding`.
template <class Operation>
HWY_INLINE void for_steps(const float* x, std::size_t size, float padding, const Operation& operation) {
  float rest[kStep];
  for (std::size_t i = 0; i < size; i += kStep) {
    const float* step = x + i;
    if (size - i < kStep) {
      std::fill(std::copy(step, x + size, rest), rest + kStep, padding);
      step = rest;
    }
    operation(step);
  }
}

// Whether all are finite; if so `largest` is set.
HWY_INLINE bool find_largest(const float* x, std::size_t size, float& largest) {
  const Floats d;
  const Integers integers;
  // The bits of a float without its sign are in the order of its size, with infinities and NaN above all.
  const auto unsigned_bits = hn::Set(integers, 0x7FFFFFFF);
  Vector maxima[kVectors];
  hn::Vec<Integers> sizes[kVectors];
  for (std::size_t k = 0; k < kVectors; ++k) maxima[k] = hn::Set(d, x[0]), sizes[k] = hn::Zero(integers);
  for_steps(x, size, x[0], [&](const float* step) {
    for (std::size_t k = 0; k < kVectors; ++k) {
      const auto v = hn::LoadU(d, step + k * kLanes);
      maxima[k] = hn::Max(maxima[k], v);
      sizes[k] = hn::Max(sizes[k], hn::And(hn::BitCast(integers, v), unsigned_bits));
    }
  });
  for (std::size_t k = 1; k < kVectors; ++k) {
    maxima[0] = hn::Max(maxima[0], maxima[k]);
    sizes[0] = hn::Max(sizes[0], sizes[k]);
  }
  largest = hn::GetLane(hn::MaxOfLanes(d, maxima[0]));
  return hn::GetLane(hn::MaxOfLanes(integers, sizes[0])) < 0x7F800000;
}

// Adds exp(x - largest) to the sums: every 16th to the same.
HWY_INLINE void add_exponentials(const float* x, std::size_t size, float largest, double* sums) {
  const Floats d;
  const Doubles doubles;
  const hn::Rebind<float, Doubles> narrow;
  const auto level = hn::Set(d, largest);
  hn::Vec<Doubles> all[kDoubleVectors];
  for (std::size_t k = 0; k < kDoubleVectors; ++k) all[k] = hn::Load(doubles, sums + k * kDoubles);
  HWY_ALIGN float terms[kStep];
  for_steps(x, size, -std::numeric_limits<float>::infinity(), [&](const float* step) {
    for (std::size_t k = 0; k < kVectors; ++k)
      hn::Store(exponential(hn::Sub(hn::LoadU(d, step + k * kLanes), level)), d, terms + k * kLanes);
    for (std::size_t k = 0; k < kDoubleVectors; ++k)
      all[k] = hn::Add(all[k], hn::PromoteTo(doubles, hn::Load(narrow, terms + k * kDoubles)));
  });
  for (std::size_t k = 0; k < kDoubleVectors; ++k) hn::Store(all[k], doubles, sums + k * kDoubles);
}

// A block at a time, which stays in the L1 cache, with the largest logit so far as the level. Whether all
// are finite; if so the maxima of the blocks and `sum` of exp(x - the largest of all) are set.
bool Scan(const float* x, std::size_t size, float* block_maxima, double& sum) {
  HWY_ALIGN double sums[kStep] = {};
  float level = -std::numeric_limits<float>::infinity();
  for (std::size_t first = 0; first < size; first += LogitScan::kBlock) {
    const std::size_t count = std::min<std::size_t>(LogitScan::kBlock, size - first);
    float& largest = *block_maxima++;
    if (!find_largest(x + first, count, largest)) return false;
    if (largest > level) {
      const double factor = std::exp(double(level) - largest);
      for (double& one : sums) one *= factor;
      level = largest;
    }
    add_exponentials(x + first, count, level, sums);
  }
  for (std::size_t width = kStep / 2; width > 0; width /= 2) {
    for (std::size_t i = 0; i < width; ++i) sums[i] += sums[i + width];
  }
  sum = sums[0];
  return true;
}

bool Finite(const float* x, std::size_t size) {
  float largest = 0;
  return find_largest(x, size, largest);
}

}  // namespace HWY_NAMESPACE
}  // namespace palisade
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace palisade {

HWY_EXPORT(Scan);
HWY_EXPORT(Finite);

LogitScan scan_logits(std::span<const float> logits) {
  assert(!logits.empty());
  LogitScan scan;
  scan.block_maxima.resize((logits.size() + LogitScan::kBlock - 1) / LogitScan::kBlock);
  double sum = 0;
  if (!HWY_DYNAMIC_DISPATCH(Scan)(logits.data(), logits.size(), scan.block_maxima.data(), sum)) return {};
  scan.finite = true;
  const auto block = std::ranges::max_element(scan.block_maxima);
  const auto within = logits.begin() + (block - scan.block_maxima.begin()) * LogitScan::kBlock;
  const auto found = std::find(within, logits.end(), *block);
  scan.most_probable = TokenId(found - logits.begin());
  scan.log_sum = double(*found) + std::log(sum);
  return scan;
}

LogitScan bound_and_scan(std::span<float> logits, float cap) {
  if (!HWY_DYNAMIC_DISPATCH(Finite)(logits.data(), logits.size())) return {};
  softcap(logits, cap);
  return scan_logits(logits);
}

}  // namespace palisade
#endif
