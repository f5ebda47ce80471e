#include "model/matmul.h"

#include <oneapi/dnnl/dnnl.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <string_view>
#include <tuple>
#include <vector>

#include "model/calibration.h"
#include "model/error.h"
#include "model/memory.h"
#include "model/onednn.h"
#include "model/packed_cache.h"
#include "model/parallel.h"
#include "model/row_formats.h"

namespace palisade {
namespace {

using dnnl::memory;

// Operations per value of what is done to rows before and after a product, for parallel_for.
constexpr double kConversionWork = 5;
constexpr double kUseWork = 20;

// One product without a PackedMatrix around it.
struct BareProduct {
  dnnl::matmul primitive;
  memory x, weight, y;

  // All bytes of rows are `row_byte`, of weights `weight_byte`. Throws dnnl::error where there is no such
  // product, or nothing but oneDNN's reference loops, which are for tests.
  BareProduct(Precision precision, int rows, int inputs, int outputs, int row_byte, int weight_byte) {
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

// Tried with the largest values there are, in a product that saturates where anything can.
bool multiplies_exactly(Precision precision) {
  constexpr int kRows = 64, kWidth = 256;
  try {
    const BareProduct product(precision, kRows, kWidth, kWidth, 255, 127);
    if (precision != Precision::kInt8) return true;
    product.run();
    const auto* const sums = static_cast<const std::int32_t*>(product.y.get_data_handle());
    return std::all_of(sums, sums + kRows * kWidth,
                       [](std::int32_t sum) { return sum == 255 * 127 * kWidth; });
  } catch (const dnnl::error&) {
    return false;
  }
}

std::atomic<std::int64_t> product_nanoseconds = 0;

// Counts its own life, of as many threads as a product begun now gets.
class ProductClock {
 public:
  ProductClock() = default;
  ~ProductClock() {
    const auto passed = std::chrono::steady_clock::now() - begun_;
    product_nanoseconds += threads_ * std::chrono::nanoseconds(passed).count();
  }
  ProductClock(const ProductClock&) = delete;
  ProductClock& operator=(const ProductClock&) = delete;

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  int threads_ = omp_in_parallel() ? 1 : omp_get_max_threads();
};

void require_success(dnnl_status_t status) {
  if (status != dnnl_success) throw std::runtime_error("oneDNN refused a matrix product");
}

}  // namespace

bool has_products(Precision precision) {
  if (precision == Precision::kF32) return true;
  static const bool bf16 = multiplies_exactly(Precision::kBf16), int8 = multiplies_exactly(Precision::kInt8);
  return precision == Precision::kBf16 ? bf16 : int8;
}

std::string packing_of(Precision precision) {
  const dnnl_version_t& version = *dnnl::version();
  return std::string(name_of(precision)) + ", rows shifted, oneDNN " + std::to_string(version.major) + "." +
         std::to_string(version.minor) + "." + std::to_string(version.patch) + " " + version.hash +
         ", instructions " + std::to_string(int(dnnl::get_effective_cpu_isa())) + ", " +
         std::to_string(omp_get_max_threads()) + " threads";
}

double product_thread_seconds() {
  return double(product_nanoseconds) * 1e-9;
}

std::function<void()> bare_product(Precision precision, int rows, int inputs, int outputs) {
  constexpr int kSmallNumbers = 0x3b;  // 0.003 in f32 and bf16
  const auto product =
      std::make_shared<BareProduct>(precision, rows, inputs, outputs, kSmallNumbers, kSmallNumbers);
  return [product] { product->run(); };
}

void parallel_for(int count, double work, const std::function<void(int)>& task) {
  if (count < 2 || work < kParallelWork || omp_in_parallel()) {
    for (int i = 0; i < count; ++i) task(i);
    return;
  }
#pragma omp parallel for schedule(dynamic)
  for (int i = 0; i < count; ++i) task(i);
}

void parallel_for_large(int count, double work, const std::function<void(int)>& task) {
  const int threads = omp_get_max_threads();
  if (count % threads == 0 || count >= 8 * threads) return parallel_for(count, work, task);
  for (int i = 0; i < count; ++i) task(i);
}

void for_row_blocks(int rows, const std::function<void(int first, int count)>& task) {
  constexpr int kBlockRows = 128;
  const int threads = omp_get_max_threads();
  const int blocks = rows / kBlockRows / threads * threads;
  if (blocks < 2) return task(0, rows);
  const auto begin = [&](int block) { return int(std::int64_t(rows) * block / blocks); };
  parallel_for(blocks, kParallelWork,
               [&](int block) { task(begin(block), begin(block + 1) - begin(block)); });
}

struct PackedMatrix::Parts {
  struct Prepared {
    dnnl::matmul::primitive_desc desc;
    dnnl::matmul primitive;
  };
  using Key = std::tuple<int, int, std::ptrdiff_t, std::ptrdiff_t>;  // threads, rows, strides of x and y

  Precision precision = Precision::kF32;
  Format format = format_of(precision);
  int inputs = 0;
  int outputs = 0;
  int depth = 0;  // of the product: inputs, in int8 filled up to whole blocks
  Matrix bias;
  memory::desc bias_desc;
  memory bias_memory;
  Block<std::byte> weight_memory;
  memory weight;
  Matrix steps;                      // int8: of each row of W
  std::vector<std::int32_t> shifts;  // int8: what rows shifted by kShift add to each sum
  std::mutex guard;                  // of what follows
  ProductInputs* recorded = nullptr;
  std::map<Key, Prepared> prepared;

  // In int8 bias and scales come after the product.
  bool product_adds_bias() const { return bias.size() > 0 && precision != Precision::kInt8; }

  dnnl::matmul::primitive_desc desc_for(int rows, std::ptrdiff_t x_stride, std::ptrdiff_t y_stride,
                                        const memory::desc& weight_desc) const {
    // oneDNN's own scratchpad is of the thread that makes the primitive.
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return matmul_desc(matrix_desc(rows, depth, x_stride, format.row), weight_desc,
                       product_adds_bias() ? &bias_desc : nullptr,
                       matrix_desc(rows, outputs, y_stride, format.result), attributes);
  }

  Prepared prepare(int rows, std::ptrdiff_t x_stride, std::ptrdiff_t y_stride) {
    const Key key{omp_get_max_threads(), rows, x_stride, y_stride};
    const std::lock_guard lock(guard);
    if (const auto found = prepared.find(key); found != prepared.end()) return found->second;
    if (prepared.size() >= 64) prepared.clear();  // prompts come in many lengths
    const auto desc = desc_for(rows, x_stride, y_stride, weight.get_desc());
    return prepared.emplace(key, Prepared{desc, dnnl::matmul(desc)}).first->second;
  }

  // A row of x as the product takes it, at `to`; its step in int8, else 1.
  float convert(std::span<const float> row, std::byte* to) const {
    if (precision == Precision::kInt8)
      return quantise_rotated(row, std::span(reinterpret_cast<std::uint8_t*>(to), std::size_t(depth)));
    if (precision == Precision::kBf16) {
      to_bf16(row, {reinterpret_cast<std::uint16_t*>(to), row.size()});
    } else {
      std::memcpy(to, row.data(), row.size_bytes());
    }
    return 1;
  }

  // Row `index` of W likewise.
  void convert_weight(int index, std::span<const float> row, std::byte* to) {
    if (precision != Precision::kInt8) return void(convert(row, to));
    const std::span values(reinterpret_cast<std::int8_t*>(to), std::size_t(depth));
    steps.row(0)[index] = quantise_rotated(row, values);
    shifts[index] = kShift * std::accumulate(values.begin(), values.end(), 0);
  }

  // W read some rows at a time and converted: [n, depth] in one piece, which becomes W^T as oneDNN wants it.
  void pack(const WeightRows& rows) {
    constexpr int kRowsAtOnce = 64, kTypicalRows = 256;
    if (precision == Precision::kInt8) steps = Matrix(1, outputs), shifts.resize(outputs);
    const std::span steps_bytes = std::as_writable_bytes(std::span(steps.data(), steps.size()));
    const std::span shifts_bytes = std::as_writable_bytes(std::span(shifts));
    const memory::desc any({depth, outputs}, format.weight, memory::format_tag::any);
    const memory::desc packed = desc_for(kTypicalRows, depth, outputs, any).weights_desc();
    weight_memory = take_memory(packed.get_size());
    weight = memory(packed, cpu_engine(), weight_memory.get());
    const std::span packed_bytes(weight_memory.get(), packed.get_size());
    if (rows.cache != nullptr && rows.cache->serves()) {
      rows.cache->read(rows.name, packed_bytes);
      if (steps_bytes.empty()) return;
      rows.cache->read(rows.name + ".steps", steps_bytes);
      rows.cache->read(rows.name + ".shifts", shifts_bytes);
      return;
    }
    const std::size_t row_bytes = std::size_t(depth) * format.operand_bytes;
    const Block<std::byte> plain = take_memory(row_bytes * outputs);
    const int blocks = (outputs + kRowsAtOnce - 1) / kRowsAtOnce;
    parallel_for(blocks, 10.0 * inputs * outputs, [&](int block) {
      const int first = block * kRowsAtOnce;
      Matrix some(std::min(kRowsAtOnce, outputs - first), inputs);
      rows.read(first, some);
      for (int row = 0; row < some.rows(); ++row)
        convert_weight(first + row, some.row(row), plain.get() + row_bytes * (first + row));
    });
    // W [n, k] row-major is W^T [k, n] with strides 1 and k.
    memory given(memory::desc({depth, outputs}, format.weight, memory::dims{1, depth}), cpu_engine(),
                 plain.get());
    dnnl::reorder(given, weight).execute(cpu_stream(), given, weight);
    cpu_stream().wait();
    if (rows.cache == nullptr) return;
    rows.cache->keep(rows.name, packed_bytes);
    if (steps_bytes.empty()) return;
    rows.cache->keep(rows.name + ".steps", steps_bytes);
    rows.cache->keep(rows.name + ".shifts", shifts_bytes);
  }

  void record(ConstMatrixView x) {
    const std::lock_guard lock(guard);
    recorded->see(x);
  }

  // What comes after product(): in int8 the sums become f32, with the `steps` of x.
  void finish(MatrixView y, std::span<const float> x_steps, const RowUse& use) const {
    const bool sums = precision == Precision::kInt8;
    if (!sums && !use) return;
    const ColumnScales columns{{steps.data(), steps.size()}, shifts, {bias.data(), bias.size()}};
    const double work = (sums ? kConversionWork : 0) + (use ? kUseWork : 0);
    parallel_for(y.rows, work * y.rows * y.cols, [&](int row) {
      if (sums) scale_sums(y.row(row), x_steps[row], columns);
      if (use) use(row, y.row(row));
    });
  }

  // y = x W^T (+ bias) of rows that the product takes as they are.
  void product(const void* x, std::ptrdiff_t x_stride, MatrixView y) {
    const auto made = prepare(y.rows, x_stride, y.stride);
    const memory::desc scratch = made.desc.scratchpad_desc();
    const Block<std::byte> scratchpad = take_memory(scratch.get_size());
    std::unordered_map<int, memory> arguments = {
        {DNNL_ARG_SRC, memory(made.desc.src_desc(), cpu_engine(), writable(x))},
        {DNNL_ARG_WEIGHTS, weight},
        {DNNL_ARG_DST, memory(made.desc.dst_desc(), cpu_engine(), y.data)},
        {DNNL_ARG_SCRATCHPAD, memory(scratch, cpu_engine(), scratchpad.get())}};
    if (product_adds_bias()) arguments.emplace(DNNL_ARG_BIAS, bias_memory);
    const ProductClock clock;
    made.primitive.execute(cpu_stream(), arguments);
    cpu_stream().wait();
  }
};

PackedMatrix::PackedMatrix(const WeightRows& rows, std::span<const float> bias, Precision precision)
    : parts_(std::make_unique<Parts>()) {
  if (!has_products(precision)) {
    throw ModelError("this CPU has no fast and exact " + std::string(name_of(precision)) +
                     " products; use precision f32, or auto");
  }
  Parts& parts = *parts_;
  assert(bias.empty() || int(bias.size()) == rows.rows);
  parts.precision = precision;
  parts.format = format_of(precision);
  parts.inputs = rows.cols;
  parts.outputs = rows.rows;
  parts.depth = precision == Precision::kInt8 ? rotated_size(rows.cols) : rows.cols;
  parts.recorded = rows.inputs;
  if (!bias.empty()) {
    parts.bias = Matrix(1, rows.rows);
    std::memcpy(parts.bias.data(), bias.data(), bias.size_bytes());
    parts.bias_desc = matrix_desc(1, rows.rows, rows.rows);
    parts.bias_memory = memory(parts.bias_desc, cpu_engine(), parts.bias.data());
  }
  parts.pack(rows);
}

PackedMatrix::~PackedMatrix() = default;
PackedMatrix::PackedMatrix(PackedMatrix&&) noexcept = default;
PackedMatrix& PackedMatrix::operator=(PackedMatrix&&) noexcept = default;

int PackedMatrix::inputs() const {
  return parts_->inputs;
}
int PackedMatrix::outputs() const {
  return parts_->outputs;
}

bool PackedMatrix::takes_halves() const {
  return parts_->precision != Precision::kF32 && has_products(Precision::kBf16);
}

void PackedMatrix::multiply(ConstMatrixView x, MatrixView y, const RowUse& use) const {
  Parts& parts = *parts_;
  assert(x.cols == parts.inputs && x.rows == y.rows);
  if (x.rows == 0) return;
  const TeamFor team(2.0 * x.rows * x.cols * y.cols);
  if (parts.precision == Precision::kF32) {
    if (parts.recorded != nullptr) parts.record(x);
    parts.product(x.data, x.stride, y);
    return parts.finish(y, {}, use);
  }
  ProductRows rows(*this, x.rows);
  parallel_for(x.rows, kConversionWork * x.rows * x.cols, [&](int row) { rows.set(row, x.row(row)); });
  multiply(rows, y, use);
}

void PackedMatrix::multiply(const ProductRows& x, MatrixView y, const RowUse& use) const {
  Parts& parts = *parts_;
  assert(x.parts_ == &parts && y.cols == parts.outputs && y.rows == int(x.steps_.size()));
  if (y.rows == 0) return;
  const TeamFor team(2.0 * y.rows * parts.depth * y.cols);
  // In int8 the sums stand in y for a moment, as 32-bit integers.
  parts.product(x.rows_.get(), parts.depth, y);
  parts.finish(y, x.steps_, use);
}

ProductRows::ProductRows(const PackedMatrix& matrix, int rows)
    : parts_(matrix.parts_.get()),
      row_bytes_(std::size_t(parts_->depth) * parts_->format.operand_bytes),
      rows_(take_memory(row_bytes_ * rows)),
      steps_(rows) {}

void ProductRows::set(int row, std::span<const float> values) {
  assert(int(values.size()) == parts_->inputs);
  if (parts_->recorded != nullptr) parts_->record({values.data(), 1, parts_->inputs});
  steps_[row] = parts_->convert(values, rows_.get() + row_bytes_ * row);
}

void multiply(ConstMatrixView a, ConstMatrixView b, bool b_transposed, float alpha, float beta,
              MatrixView c) {
  assert((b_transposed ? b.cols : b.rows) == a.cols && (b_transposed ? b.rows : b.cols) == c.cols &&
         a.rows == c.rows);
  const TeamFor team(2.0 * a.rows * a.cols * c.cols);
  require_success(dnnl_sgemm('N', b_transposed ? 'T' : 'N', a.rows, c.cols, a.cols, alpha, a.data, a.stride,
                             b.data, b.stride, beta, c.data, c.stride));
}

void multiply_transposed(ConstMatrixView a, ConstMatrixView b, float alpha, float beta, MatrixView c) {
  assert(a.rows == b.rows && a.cols == c.rows && b.cols == c.cols);
  const TeamFor team(2.0 * a.rows * a.cols * c.cols);
  require_success(dnnl_sgemm('T', 'N', a.cols, c.cols, a.rows, alpha, a.data, a.stride, b.data, b.stride,
                             beta, c.data, c.stride));
}

}  // namespace palisade
