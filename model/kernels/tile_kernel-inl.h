// Included by integer_tiles.cc inside its namespace of one instruction set, once for each: one tile of rows
// by columns, whose sums stay in registers.
#if defined(PALISADE_MODEL_KERNELS_TILE_KERNEL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PALISADE_MODEL_KERNELS_TILE_KERNEL_INL_H_
#undef PALISADE_MODEL_KERNELS_TILE_KERNEL_INL_H_
#else
#define PALISADE_MODEL_KERNELS_TILE_KERNEL_INL_H_
#endif

// The most rows whose sums fit the registers beside a vector of each column, one of a row and what else a
// matmul needs.
constexpr int most_rows(int vectors) {
  return std::min(8, (kRegisters - vectors - (kHasVnni ? 2 : 3)) / vectors);
}

#if HWY_TARGET == HWY_AVX3_DL
// Every CPU of this target has VNNI; Highway 1.0 does not say so.
#define PALISADE_TILE __attribute__((target("avx512vnni")))

template <Operands kOperands>
PALISADE_TILE HWY_INLINE SumVector add_products(SumVector sum, SumVector x, SumVector columns) {
  return SumVector{kOperands == Operands::kValues ? _mm512_dpbusd_epi32(sum.raw, x.raw, columns.raw)
                                                  : _mm512_dpwssd_epi32(sum.raw, x.raw, columns.raw)};
}
#else
#define PALISADE_TILE

// Products of two unsigned bytes by two signed ones, added up in int16.
HWY_INLINE SumVector byte_products(SumVector bytes, SumVector x) {
#if HWY_TARGET == HWY_AVX2
  return SumVector{_mm256_maddubs_epi16(bytes.raw, x.raw)};
#else
  return SumVector{_mm512_maddubs_epi16(bytes.raw, x.raw)};
#endif
}

template <Operands kOperands>
HWY_INLINE SumVector add_products(SumVector sum, SumVector x, SumVector columns) {
  const Words words;
  const auto two = kOperands == Operands::kValues ? hn::Set(words, 1) : hn::BitCast(words, x);
  const auto by = hn::BitCast(words, kOperands == Operands::kValues ? byte_products(columns, x) : columns);
  SumVector none = hn::Zero(Sums());
  sum = hn::ReorderWidenMulAccumulate(Sums(), two, by, sum, none);
  // GCC 12 would put off additions until the products of many steps no longer fit the registers.
  asm("" : "+v"(sum.raw));
  return sum;
}
#endif

// all [kRows, kVectors] += four bytes of each row by those of the columns.
template <Operands kOperands, int kVectors, int kRows>
PALISADE_TILE HWY_INLINE void add_four(const std::byte* x, std::ptrdiff_t x_stride, const std::byte* packed,
                                       SumVector (&all)[kRows][kVectors]) {
  const Sums d;
  SumVector columns[kVectors];
#pragma GCC unroll 5
  for (int i = 0; i < kVectors; ++i)
    columns[i] = hn::Load(d, reinterpret_cast<const std::int32_t*>(packed) + kLanes * i);
#pragma GCC unroll 8
  for (int row = 0; row < kRows; ++row) {
    std::int32_t values;
    std::memcpy(&values, x + row * x_stride, 4);
    const SumVector its = hn::Set(d, values);
#pragma GCC unroll 5
    for (int i = 0; i < kVectors; ++i) all[row][i] = add_products<kOperands>(all[row][i], its, columns[i]);
  }
}

// Rows of y from `first` on, of all sums.
template <int kVectors, int kRows>
HWY_INLINE void scale(const SumVector (&all)[kRows][kVectors], const ScaledOutput scaled, int first) {
  const Floats d;
  const float* const row_scales = scaled.row_scales + first;
  float* const to = scaled.y + first * scaled.stride;
#pragma GCC unroll 5
  for (int i = 0; i < kVectors; ++i) {
    const auto scales = hn::LoadU(d, scaled.column_scales + kLanes * i),
               bias = hn::Load(d, scaled.bias + kLanes * i);
    const int left = scaled.columns - kLanes * i;
#pragma GCC unroll 8
    for (int row = 0; row < kRows; ++row) {
      const auto factor = hn::Mul(hn::Set(d, row_scales[row]), scales);
      const auto value = hn::MulAdd(hn::ConvertTo(d, all[row][i]), factor, bias);
      float* const y = to + row * scaled.stride + kLanes * i;
      // By a mask a store takes AMD's AVX2 dozens of steps.
      if (i + 1 < kVectors || left >= kLanes) {
        hn::StoreU(value, d, y);
      } else {
        hn::BlendedStore(value, hn::FirstN(d, std::size_t(left)), d, y);
      }
    }
  }
}

// `count` tiles, one below the other from row `first` on: sums = start + rows by columns, which go to
// `scaled` where that is given. Each fetches `lines` of what is ahead at every step.
template <Operands kOperands, int kVectors, int kRows>
PALISADE_TILE void add_tiles(const Tile& tile, int first, int count, NextWeights& ahead, int lines,
                             const ScaledOutput* scaled) {
  const Sums d;
  const int further = ahead.further;
  for (const int end = first + count * kRows; first < end; first += kRows) {
    const std::byte* const x = tile.x + first * tile.x_stride;
    const std::int32_t* const start = tile.start + first * tile.start_stride;
    SumVector all[kRows][kVectors];
#pragma GCC unroll 8
    for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 5
      for (int i = 0; i < kVectors; ++i)
        all[row][i] = hn::Load(d, start + row * tile.start_stride + kLanes * i);
    }
    const std::byte* packed = tile.packed;
    const char* line = ahead.at;
    const std::ptrdiff_t fetched = line < ahead.end ? 64 * lines : 0;
    for (int at = 0; at < tile.bytes; at += kStep) {
#pragma GCC unroll 4
      for (int four = 0; four < kStep; four += 4, packed += tile.packed_stride)
        add_four<kOperands, kVectors, kRows>(x + at + four, tile.x_stride, packed, all);
      for (const char* const last = line + fetched; line != last; line += 64) {
        _mm_prefetch(line, _MM_HINT_T0);
        if (further > 0) _mm_prefetch(line + further, _MM_HINT_T1);
      }
    }
    ahead.at = line;
    if (scaled != nullptr) {
      scale<kVectors, kRows>(all, *scaled, first);
      continue;
    }
    std::int32_t* const sums = tile.sums + first * tile.stride;
#pragma GCC unroll 8
    for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 5
      for (int i = 0; i < kVectors; ++i) hn::StoreU(all[row][i], d, sums + row * tile.stride + kLanes * i);
    }
  }
}

using AddTiles = void (*)(const Tile&, int, int, NextWeights&, int, const ScaledOutput*);

// add_tiles() of `vectors` of columns, at most kMaxVectorCount, by `rows` rows, at most most_rows(vectors).
template <Operands kOperands, int kMaxVectorCount>
AddTiles add_tiles_of(int vectors, int rows) {
  static constexpr auto kOfVectors = []<int kVectors, int... kLess>(std::integer_sequence<int, kLess...>) {
    return std::array<AddTiles, 8>{add_tiles<kOperands, kVectors, kLess + 1>...};
  };
  static constexpr auto kOf = []<int... kLess>(std::integer_sequence<int, kLess...>) {
    return std::array{kOfVectors.template operator()<kLess + 1>(
        std::make_integer_sequence<int, most_rows(kLess + 1)>())...};
  }
  (std::make_integer_sequence<int, kMaxVectorCount>());
  return kOf[vectors - 1][rows - 1];
}

// The same of any number of rows, in tiles as equal as can be, each with its share of what is ahead.
template <Operands kOperands, int kMaxVectorCount>
void add_rows(const Tile& tile, int vectors, int rows, NextWeights ahead, const ScaledOutput* scaled) {
  const int tiles = (rows + most_rows(vectors) - 1) / most_rows(vectors);
  const int least = rows / tiles, larger = rows % tiles, steps = tiles * (tile.bytes / kStep);
  const int lines = int((ahead.end - ahead.at + 64 * steps - 1) / (64 * steps));
  const auto add = [&](int first, int count, int its_rows) {
    if (count > 0)
      add_tiles_of<kOperands, kMaxVectorCount>(vectors, its_rows)(tile, first, count, ahead, lines, scaled);
  };
  add(0, larger, least + 1);
  add(larger * (least + 1), tiles - larger, least);
}

#undef PALISADE_TILE

#endif  // PALISADE_MODEL_KERNELS_TILE_KERNEL_INL_H_
