#include "model/matmul/bare_matmul.h"

#include <oneapi/dnnl/dnnl.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "model/kernels/integer_tiles.h"
#include "model/matmul/matmul.h"
#include "model/matmul/onednn.h"
#include "model/tensor/matrix.h"

namespace palisade {
namespace {

using dnnl::memory;

// One matmul without a PackedMatrix around it.
struct BareMatmul {
  dnnl::matmul primitive;
  memory x, weight, y;

  // All bytes of rows are `row_byte`, of weights `weight_byte`. Throws dnnl::error where there is no such
  // matmul, or nothing but oneDNN's reference loops, which are for tests.
  BareMatmul(Precision precision, int rows, int inputs, int outputs, int row_byte, int weight_byte) {
    const Format format = format_of(precision);
    const memory::desc any({inputs, outputs}, format.weight, memory::format_tag::any);
    const auto desc = matmul_desc(matrix_desc(rows, inputs, inputs, format.row), any, nullptr,
                                  matrix_desc(rows, outputs, outputs, format.result));
    if (std::string_view(desc.impl_info_str()).starts_with("ref"))
      throw dnnl::error(dnnl_unimplemented, "only reference loops");
    primitive = dnnl::matmul(desc);
    x = memory(desc.src_desc(), cpu_engine());
    weight = memory(desc.weights_desc(), cpu_engine());
    y = memory(desc.dst_desc(), cpu_engine());
    memory plain(matrix_desc(inputs, outputs, outputs, format.weight), cpu_engine());
    std::memset(x.get_data_handle(), row_byte, x.get_desc().get_size());
    std::memset(plain.get_data_handle(), weight_byte, plain.get_desc().get_size());
    std::memset(y.get_data_handle(), 0, y.get_desc().get_size());
    dnnl::reorder(plain, weight).execute(cpu_stream(), plain, weight);
    cpu_stream().wait();
  }
  void run() const {
    primitive.execute(cpu_stream(), {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, weight}, {DNNL_ARG_DST, y}});
    cpu_stream().wait();
  }
};

// The same as layers multiply, of rows made beforehand.
struct PackedMatmul {
  PackedMatrix weights;
  MatmulRows x;
  Matrix y;

  PackedMatmul(Precision precision, int rows, int inputs, int outputs)
      : weights({outputs, inputs,
                 [](int, MatrixView some) { std::fill_n(some.data, some.rows * some.cols, 1.0f); }},
                {}, precision),
        x(weights, rows),
        y(rows, outputs) {
    const std::vector<float> row(inputs, 1.0f);
    for (int i = 0; i < rows; ++i) x.set(i, row);
  }
  void run() { weights.multiply(x, y); }
};

// Tried with the largest values there are, in a matmul that saturates where anything can.
bool multiplies_exactly(Precision precision) {
  constexpr int kRows = 64, kWidth = 256;
  const OneThread alone;
  try {
    const BareMatmul matmul(precision, kRows, kWidth, kWidth, 255, 127);
    if (precision != Precision::kInt8) return true;
    matmul.run();
    const auto* const sums = static_cast<const std::int32_t*>(matmul.y.get_data_handle());
    return std::all_of(sums, sums + kRows * kWidth,
                       [](std::int32_t sum) { return sum == 255 * 127 * kWidth; });
  } catch (const dnnl::error&) {
    return false;
  }
}

}  // namespace

bool has_exact_onednn() {
  static const bool exact = multiplies_exactly(Precision::kInt8);
  return exact;
}

bool has_matmul(Precision precision) {
  static const bool bf16 = multiplies_exactly(Precision::kBf16);
  switch (precision) {
    case Precision::kF32:
      return true;
    case Precision::kBf16:
      return bf16;
    case Precision::kInt8:
      return has_integer_tiles() || has_exact_onednn();
  }
  return false;
}

bool has_tile_registers() {
  constexpr auto kAmx = int(dnnl::cpu_isa::avx512_core_amx);
  return (int(dnnl::get_effective_cpu_isa()) & kAmx) == kAmx;
}

bool multiplies_by_tiles() {
  return has_integer_tiles() && !has_tile_registers() && (integer_tiles_have_vnni() || !has_exact_onednn());
}

std::vector<std::function<void()>> bare_matmuls(Precision precision, int rows, int inputs, int outputs) {
  constexpr int kSmallNumbers = 0x3b;  // 0.003 in f32 and bf16
  const auto matmul =
      std::make_shared<BareMatmul>(precision, rows, inputs, outputs, kSmallNumbers, kSmallNumbers);
  const auto packed = std::make_shared<PackedMatmul>(precision, rows, inputs, outputs);
  return {[matmul] { matmul->run(); }, [packed] { packed->run(); }};
}

}  // namespace palisade
