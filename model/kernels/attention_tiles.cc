#include "model/kernels/attention_tiles.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>

#include "model/kernels/integer_tiles.h"
#include "model/kernels/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/attention_tiles.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h, as Highway asks.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "model/kernels/fixed_lanes-inl.h"
#include "model/kernels/power_of_two-inl.h"

#ifndef PALISADE_MODEL_ATTENTION_TILES_ONCE
#define PALISADE_MODEL_ATTENTION_TILES_ONCE
namespace palisade {
namespace {

// So that the sums over a chunk fit 32 bits.
constexpr int kChunk = 256;  // positions
constexpr int kRowsAhead = 6;
constexpr int kMaxWord = 2047, kMaxProbability = 4095;
// 2^f for |f| <= 1/2, 7.5e-5 off at most.
constexpr float kPowerFactors[] = {0.05517167f, 0.24261114f, 0.69326099f, 0.99992807f};
// Columns of values that one matmul takes.
struct Slice {
  int first;
  int count;
};
static_assert(std::int64_t(kChunk) * kMaxWord * kMaxProbability < std::numeric_limits<std::int32_t>::max() &&
              std::int64_t(kMaxTiledDim) * kMaxWord * kMaxWord < std::numeric_limits<std::int32_t>::max());

}  // namespace
}  // namespace palisade
#endif

HWY_BEFORE_NAMESPACE();
namespace palisade {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Words = hn::FixedTag<std::int16_t, kLanes>;
using Unsigned = hn::RebindToUnsigned<Integers>;

// The rest of a row is masked. Some CPUs without AVX-512 may fault at what is masked, so take_memory() has a
// vector more than is asked for.
HWY_INLINE Vector load(const float* x, std::size_t left) {
  return left >= kLanes ? hn::LoadU(Floats(), x) : hn::MaskedLoad(hn::FirstN(Floats(), left), Floats(), x);
}

// The nearest whole number to x * factor in the last 16 bits, for those of |x * factor| < 2^15.
HWY_INLINE hn::Vec<Integers> round_to_words(Vector x, Vector factor) {
  return hn::BitCast(Integers(), hn::MulAdd(x, factor, hn::Set(Floats(), kRounder)));
}

HWY_INLINE void store_words(hn::Vec<Integers> last_bits, std::int16_t* out) {
  const hn::RebindToUnsigned<Words> words;
  hn::StoreU(hn::BitCast(Words(), hn::TruncateTo(words, hn::BitCast(Unsigned(), last_bits))), Words(), out);
}

// Compares as the magnitude does, and what is not finite is the largest of all.
HWY_INLINE hn::Vec<Integers> magnitude(Vector v) {
  return hn::BitCast(Integers(), hn::Abs(v));
}

// In units of the largest magnitude / 2047, then zeros up to a whole vector. Returns that scale: 0 for a row
// of zeros, NaN where a value is not finite. `ahead` is a row that is soon asked for: rows are far apart, and
// no CPU guesses where the next one stands.
float RoundWords(const float* x, std::size_t size, const float* ahead, std::int16_t* out) {
  const Floats d;
  const Integers integers;
  auto largest = hn::Zero(integers);
  for (std::size_t i = 0; i < size; i += kLanes) {
    hwy::Prefetch(ahead + i);
    largest = hn::Max(largest, magnitude(load(x + i, size - i)));
  }
  const float most = hn::GetLane(hn::BitCast(d, hn::MaxOfLanes(integers, largest)));
  const bool none = !(most > 1e-30f);  // below that the quotient is not finite
  const Vector per_scale = hn::Set(d, none ? 0 : kMaxWord / most);
  for (std::size_t i = 0; i < size; i += kLanes)
    store_words(round_to_words(load(x + i, size - i), per_scale), out + i);
  return none && most == most ? 0 : most / kMaxWord + 0 * most;
}

// Columns [slice.first, slice.first + slice.count) of all rows, [rows][size], rounded like that, each with a
// scale of its own; two rows become one, value beside value.
void RoundColumns(const float* const* rows, int count, std::size_t size, Slice slice, float* scales,
                  std::int16_t* out) {
  const Floats d;
  const Integers integers;
  for (int i = slice.first; i < slice.first + slice.count; i += int(kLanes)) {
    const auto of = [&](int row) { return load(rows[row] + i, size - std::min(size, std::size_t(i))); };
    auto largest = magnitude(hn::Set(d, 1e-30f));
    for (int row = 0; row < count; ++row) {
      hwy::Prefetch(rows[std::min(row + kRowsAhead, count - 1)] + i);
      largest = hn::Max(largest, magnitude(of(row)));
    }
    const Vector most = hn::BitCast(d, largest), per_scale = hn::Div(hn::Set(d, float(kMaxWord)), most);
    hn::StoreU(hn::MulAdd(hn::Set(d, 1.0f / kMaxWord), most, hn::Mul(hn::Zero(d), most)), d, scales + i);
    auto* to = reinterpret_cast<std::int32_t*>(out) + (i - slice.first);
    for (int row = 0; row < count; row += 2, to += slice.count) {
      const auto low = round_to_words(of(row), per_scale);
      const auto high = row + 1 < count ? round_to_words(of(row + 1), per_scale) : hn::Zero(integers);
      hn::StoreU(hn::Or(hn::And(low, hn::Set(integers, 0xffff)), hn::ShiftLeft<16>(high)), integers, to);
    }
  }
}

// exp(factor * (x - max)) in units of 1 / 4095. `level` becomes the power of two of exp(factor * max), NaN
// where a score is not finite. Returns the sum.
std::int32_t Probabilities(const float* x, std::size_t size, float factor, std::int16_t* out, float& level) {
  const Floats d;
  Vector most = hn::LoadU(d, x), poison = hn::Zero(d);
  for (std::size_t i = 0; i < size; i += kLanes) {
    const Vector v = hn::LoadU(d, x + i);
    most = hn::Max(most, v);
    poison = hn::MulAdd(v, hn::Zero(d), poison);
  }
  const Vector factors = hn::Set(d, factor * kLog2E);
  const Vector levels = hn::Mul(hn::MaxOfLanes(d, most), factors);
  // Rounded likewise: the last 16 bits are the probability, and what stands before them is taken off the sum.
  constexpr std::uint32_t kShift = 0x4b000000;
  const Vector scale = hn::Set(d, float(kMaxProbability)),
               shift = hn::BitCast(d, hn::Set(Unsigned(), kShift));
  auto sum = hn::Zero(Integers());
  for (std::size_t i = 0; i < size; i += kLanes) {
    const Vector exponent = hn::MulSub(hn::LoadU(d, x + i), factors, levels);
    const Vector power = power_of_two(d, hn::Max(hn::Set(d, -126.0f), exponent), kPowerFactors);
    const auto steps = hn::BitCast(Integers(), hn::MulAdd(power, scale, shift));
    sum = hn::Add(sum, steps);
    store_words(steps, out + i);
  }
  level = hn::GetLane(levels) + hn::GetLane(hn::SumOfLanes(d, poison));
  const auto all = hn::GetLane(hn::SumOfLanes(Unsigned(), hn::BitCast(Unsigned(), sum)));
  return std::int32_t(all - std::uint32_t(size) * kShift);
}

// out = keep * out + more; with keep 0 what was there does not matter.
void AddToKept(const float* more, std::size_t size, float keep, float* out) {
  const Floats d;
  const Vector keeps = hn::Set(d, keep);
  for (std::size_t i = 0; i < size; i += kLanes) {
    const Vector v = load(more + i, size - i);
    const Vector all = keep == 0 ? v : hn::MulAdd(keeps, load(out + i, size - i), v);
    if (size - i >= kLanes) {
      hn::StoreU(all, d, out + i);
    } else {
      hn::BlendedStore(all, hn::FirstN(d, size - i), d, out + i);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace palisade
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace palisade {

HWY_EXPORT(RoundWords);
HWY_EXPORT(RoundColumns);
HWY_EXPORT(Probabilities);
HWY_EXPORT(AddToKept);

namespace {

constexpr int kKeyTile = 64;
constexpr int kVector = 16;
constexpr int kDepthStep = 8;  // of multiply_words

int padded(int size, int to) {
  return (size + to - 1) / to * to;
}

// Columns of values, in slices that one matmul takes: use(first, count) of each.
template <typename Use>
void for_slices(int columns, const Use& use) {
  const int vectors = columns / kVector, slices = (columns + kMaxWordColumns - 1) / kMaxWordColumns;
  for (int slice = 0; slice < slices; ++slice) {
    const int first = vectors * slice / slices * kVector;
    use(first, vectors * (slice + 1) / slices * kVector - first);
  }
}

// Of the thread at work, until its next call with the same tag.
template <typename T, int kTag>
std::span<T> scratch(std::size_t size) {
  thread_local Block<std::byte> all;
  return grown<T>(all, size);
}

// x in 12 bits, at `out` and up to a whole vector; see RoundWords.
float round_words(ConstMatrixView x, int row, std::int16_t* out) {
  const float* const ahead = x.row(std::min(row + kRowsAhead, x.rows - 1)).data();
  return HWY_DYNAMIC_DISPATCH(RoundWords)(x.row(row).data(), std::size_t(x.cols), ahead, out);
}

}  // namespace

PackedKeysAndValues::PackedKeysAndValues(std::span<const ConstMatrixView> keys,
                                         std::span<const ConstMatrixView> values)
    : positions_(0), dim_(keys.front().cols) {
  for (const ConstMatrixView& part : keys) positions_ += part.rows;
  const int depth = padded(dim_, kDepthStep), columns = padded(dim_, kVector),
            all = padded(positions_, kKeyTile);
  key_steps_.resize(std::size_t(all));
  keys_ = take_memory(std::size_t(all) * depth * 2);
  std::memset(keys_.get(), 0, std::size_t(all) * depth * 2);
  const std::span words = scratch<std::int16_t, 0>(std::size_t(columns));
  int position = 0;
  for (const ConstMatrixView& part : keys) {
    for (int row = 0; row < part.rows; ++row, ++position) {
      key_steps_[position] = round_words(part, row, words.data());
      std::byte* to =
          keys_.get() + (std::size_t(position / kKeyTile) * depth * kKeyTile + position % kKeyTile * 2) * 2;
      for (int i = 0; i < depth; i += 2, to += kKeyTile * 4) std::memcpy(to, words.data() + i, 4);
    }
  }

  const int chunks = (positions_ + kChunk - 1) / kChunk;
  value_steps_.resize(std::size_t(chunks) * columns);
  values_ = take_memory(std::size_t(chunks) * kChunk * columns * 2);
  std::vector<const float*> rows;
  for (const ConstMatrixView& part : values) {
    for (int row = 0; row < part.rows; ++row) rows.push_back(part.row(row).data());
  }
  for (int chunk = 0; chunk < chunks; ++chunk) {
    const int first = chunk * kChunk, count = std::min(kChunk, positions_ - first),
              whole = padded(count, kDepthStep);
    auto* const packed = reinterpret_cast<std::int16_t*>(values_.get()) + std::size_t(first) * columns;
    for_slices(columns, [&](int at, int size) {
      std::int16_t* const to = packed + std::size_t(at) * whole;
      HWY_DYNAMIC_DISPATCH(RoundColumns)
      (rows.data() + first, count, std::size_t(dim_), {at, size},
       value_steps_.data() + std::size_t(chunk) * columns, to);
      std::fill(to + std::ptrdiff_t(padded(count, 2)) * size, to + std::ptrdiff_t(whole) * size,
                std::int16_t(0));
    });
  }
}

// The rows of one call on their way through the chunks.
class AttentionTiles {
 public:
  AttentionTiles(const TiledRows& rows, const PackedKeysAndValues& packed, MatrixView out)
      : rows_(rows),
        packed_(packed),
        out_(out),
        count_(rows.q.rows),
        columns_(padded(packed.dim_, kVector)),
        words_(scratch<std::int16_t, 0>(std::size_t(count_) * columns_)),
        query_steps_(scratch<float, 0>(std::size_t(count_))),
        scores_(scratch<float, 1>(std::size_t(count_) * kChunk).data(), count_, kChunk),
        probabilities_(scratch<std::int16_t, 1>(std::size_t(count_) * kChunk)),
        shares_(scratch<float, 2>(std::size_t(count_))),
        more_(scratch<float, 3>(std::size_t(count_) * packed.dim_).data(), count_, packed.dim_),
        state_(scratch<State, 0>(std::size_t(count_))) {}

  void run() {
    for (int row = 0; row < count_; ++row) {
      state_[row] = {};
      query_steps_[row] = round_words(rows_.q, row, words_.data() + row * columns_);
    }
    const int first = std::ranges::min(rows_.seen, {}, &PositionRange::begin).begin / kChunk;
    const int last = (std::ranges::max(rows_.seen, {}, &PositionRange::end).end - 1) / kChunk;
    for (int chunk = first; chunk <= last; ++chunk) {
      const int begin = chunk * kChunk, count = std::min(kChunk, packed_.positions_ - begin);
      score(begin, count);
      for (int row = 0; row < count_; ++row) weigh(row, begin, count, chunk == last);
      multiply_values(chunk, padded(count, kDepthStep), chunk == first ? out_ : more_);
      for (int row = 0; row < count_ && chunk > first; ++row) {
        HWY_DYNAMIC_DISPATCH(AddToKept)
        (more_.row(row).data(), std::size_t(packed_.dim_), state_[row].keep, out_.row(row).data());
      }
    }
  }

 private:
  struct State {
    float level = -std::numeric_limits<float>::infinity();  // the largest score so far, as a power of two
    float total = 0;                                        // of the probabilities, with that as 1
    float keep = 0;                                         // of what is summed up, when the chunk is added
  };

  void score(int begin, int count) {
    const int depth = padded(packed_.dim_, kDepthStep);
    const WordRows queries{words_.data(), query_steps_.data(), count_, depth, columns_};
    const auto* const keys = reinterpret_cast<const std::int16_t*>(packed_.keys_.get());
    for (int at = begin; at < begin + count; at += kKeyTile) {
      multiply_words(queries, {keys + std::size_t(at) * depth, packed_.key_steps_.data() + at, kKeyTile},
                     scores_.block(0, count_, at - begin, kKeyTile));
    }
  }

  // Chunks before the first that a row sees add nothing to it.
  void weigh(int row, int begin, int count, bool last) {
    State& state = state_[row];
    const auto scores = scores_.row(row).first(std::size_t(padded(count, kVector)));
    const auto to = probabilities_.subspan(std::size_t(row) * kChunk, scores.size());
    const int from = std::max(rows_.seen[row].begin - begin, 0),
              until = std::min(rows_.seen[row].end - begin, count);
    float keep = 1, share = 0;
    if (from < until) {
      float factor = rows_.scale;
      if (rows_.softcap) {
        scale(scores, rows_.scale);
        softcap(scores, *rows_.softcap);
        factor = 1;
      }
      // What is not seen has the probability 0.
      const float unseen = std::numeric_limits<float>::lowest() / 2;
      std::fill(scores.begin(), scores.begin() + from, unseen);
      std::fill(scores.begin() + until, scores.end(), unseen);
      float level;
      const std::int32_t sum =
          HWY_DYNAMIC_DISPATCH(Probabilities)(scores.data(), scores.size(), factor, to.data(), level);
      const bool begins = state.total == 0;
      const float most = begins ? level : std::max(level, state.level);
      keep = begins ? 0 : std::exp2(state.level - most);
      share = level == most ? 1 : std::exp2(level - most);  // NaN where a score is
      state.total = keep * state.total + share * float(sum);
      state.level = most;
    } else {
      std::ranges::fill(to, std::int16_t(0));
    }
    const float part = last ? 1 / state.total : 1;
    state.keep = keep * part;
    shares_[row] = share * part;
  }

  void multiply_values(int chunk, int whole, MatrixView to) {
    const WordRows weights{probabilities_.data(), shares_.data(), count_, whole, kChunk};
    const std::size_t first = std::size_t(chunk) * columns_;
    const auto* const values = reinterpret_cast<const std::int16_t*>(packed_.values_.get()) + first * kChunk;
    for_slices(columns_, [&](int at, int size) {
      multiply_words(weights,
                     {values + std::size_t(at) * whole, packed_.value_steps_.data() + first + at, size},
                     to.block(0, count_, at, std::min(size, packed_.dim_ - at)));
    });
  }

  const TiledRows& rows_;
  const PackedKeysAndValues& packed_;
  MatrixView out_;
  int count_;
  int columns_;                            // what queries are padded to, as values are
  std::span<std::int16_t> words_;          // [rows, columns]
  std::span<float> query_steps_;           // of each row
  MatrixView scores_;                      // [rows, chunk]
  std::span<std::int16_t> probabilities_;  // [rows, chunk]
  std::span<float> shares_;                // of each row: what of the chunk's sums are added
  MatrixView more_;                        // [rows, dim], of a chunk after the first
  std::span<State> state_;                 // [rows]
};

void attend_tiles(const TiledRows& rows, const PackedKeysAndValues& packed, MatrixView out) {
  AttentionTiles(rows, packed, out).run();
}

}  // namespace palisade
#endif
