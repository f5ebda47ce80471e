// Included by integer_tiles.cc inside its namespace of one instruction set, once for each: how rows stand for
// the tiles.
#if defined(PALISADE_MODEL_KERNELS_TILE_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PALISADE_MODEL_KERNELS_TILE_ROWS_INL_H_
#undef PALISADE_MODEL_KERNELS_TILE_ROWS_INL_H_
#else
#define PALISADE_MODEL_KERNELS_TILE_ROWS_INL_H_
#endif

// Values of `row` of `count` from `first` on: of all rows through a chunk, then the next.
template <typename Byte>
Byte* values_of(Byte* all, int depth, int chunk, int count, int first, int row) {
  return all + std::size_t(first) * count + std::size_t(row) * std::min(chunk, depth - first);
}

// Without VNNI weights are the unsigned operand, and values, signed, are parted where two neighbours could
// saturate what the instruction adds up in int16. What was taken from the values of a row stands behind
// those of all rows, with the row's sum.
struct Excess {
  std::uint32_t values;  // of four neighbours
  std::int32_t four;     // which ones
};
template <typename Byte>
struct RowExcess {
  template <typename T>
  using Like = std::conditional_t<std::is_const_v<Byte>, const T, T>;
  Like<std::int32_t>* sum;     // of the row
  Like<std::int32_t>* starts;  // how many there are before each chunk, and before the end
  Like<Excess>* all;

  RowExcess(Byte* rows, int depth, int count, int row) {
    Byte* const its = rows + std::size_t(depth) * count + size(depth) * row;
    sum = reinterpret_cast<Like<std::int32_t>*>(its);
    starts = sum + 1;
    all = reinterpret_cast<Like<Excess>*>(starts + most_chunks(depth) + 1);
  }
  static int most_chunks(int depth) { return depth / chunk_of(1, depth) + 1; }
  static std::size_t size(int depth) {
    return 4 * (std::size_t(most_chunks(depth)) + 2) + std::size_t(depth) / 4 * sizeof(Excess);
  }
};

std::size_t TileRowSize(int depth) {
  return std::size_t(depth) + (kHasVnni ? 0 : RowExcess<std::byte>::size(depth));
}

void PlaceTileRow(const std::uint8_t* row, int depth, int at, int count, std::byte* all) {
  const int chunk = chunk_of(count, depth);
  if constexpr (kHasVnni) {
    for (int first = 0; first < depth; first += chunk)
      std::memcpy(values_of(all, depth, chunk, count, first, at), row + first,
                  std::size_t(std::min(chunk, depth - first)));
    return;
  }
  // Two weights of at most 255 by values whose sum is at most 128 add up to less than 2^15.
  constexpr int kMaxSum = 128, kMaxByte = kMaxSum / 2;
  const Bytes bytes;
  const Words words;
  const RowExcess<std::byte> rests(all, depth, count, at);
  int parted = 0;
  SumVector sums = hn::Zero(Sums()), none = sums;
  for (int i = 0; i < depth; i += 4 * kLanes) {
    const int first = i / chunk * chunk;
    if (i == first) rests.starts[i / chunk] = parted;
    const auto shifted = hn::LoadU(bytes, reinterpret_cast<const std::int8_t*>(row) + i);
    const auto x = hn::Xor(shifted, hn::Set(bytes, -128));
    const auto odd = hn::ShiftRight<8>(hn::BitCast(words, x));
    const auto even = hn::ShiftRight<8>(hn::ShiftLeft<8>(hn::BitCast(words, x)));
    const auto both = hn::Add(odd, even);
    sums = hn::ReorderWidenMulAccumulate(Sums(), both, hn::Set(words, 1), sums, none);
    const auto large = hn::VecFromMask(words, hn::Gt(hn::Abs(both), hn::Set(words, kMaxSum)));
    const auto bounded = hn::Min(hn::Max(x, hn::Set(bytes, -kMaxByte)), hn::Set(bytes, kMaxByte));
    const auto part = hn::IfVecThenElse(hn::BitCast(bytes, large), bounded, x);
    std::byte* const values = values_of(all, depth, chunk, count, first, at) + (i - first);
    hn::StoreU(part, bytes, reinterpret_cast<std::int8_t*>(values));
    std::uint8_t mask[8] = {};
    hn::StoreMaskBits(Sums(), hn::Ne(hn::BitCast(Sums(), large), hn::Zero(Sums())), mask);
    std::uint32_t bits;
    std::memcpy(&bits, mask, 4);
    if (bits == 0) continue;
    std::uint32_t rest[kLanes];
    hn::StoreU(hn::Sub(x, part), bytes, reinterpret_cast<std::int8_t*>(rest));
    for (; bits != 0; bits &= bits - 1, ++parted) {
      const int four = std::countr_zero(bits);
      rests.all[parted] = {rest[four], (i - first) / 4 + four};
    }
  }
  rests.starts[(depth + chunk - 1) / chunk] = parted;
  *rests.sum = hn::GetLane(hn::SumOfLanes(Sums(), sums));
}

#endif  // PALISADE_MODEL_KERNELS_TILE_ROWS_INL_H_
