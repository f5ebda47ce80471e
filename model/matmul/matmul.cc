#include "model/matmul/matmul.h"

#include <oneapi/dnnl/dnnl.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <vector>

#include "base/format.h"
#include "model/error.h"
#include "model/kernels/integer_tiles.h"
#include "model/kernels/row_formats.h"
#include "model/matmul/bare_matmul.h"
#include "model/matmul/onednn_matmul.h"
#include "model/tensor/memory.h"
#include "model/tensor/parallel.h"
#include "model/weights/calibration.h"
#include "model/weights/packed_cache.h"

namespace palisade {
namespace {

// Operations per value of what is done to rows before and after a matmul, for parallel_for.
constexpr double kConversionWork = 5;
constexpr double kUseWork = 20;

std::atomic<std::int64_t> matmul_nanoseconds = 0;

// Counts its own life, of as many threads as a matmul begun now gets.
class MatmulClock {
 public:
  MatmulClock() = default;
  ~MatmulClock() {
    const auto passed = std::chrono::steady_clock::now() - begun_;
    matmul_nanoseconds += threads_ * std::chrono::nanoseconds(passed).count();
  }
  MatmulClock(const MatmulClock&) = delete;
  MatmulClock& operator=(const MatmulClock&) = delete;

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  int threads_ = in_task() ? 1 : thread_pool_size();
};

// What one converted row is made in: of the thread at work, until its next call.
std::span<std::byte> bytes_of_thread(std::size_t size) {
  thread_local Block<std::byte> row;
  return grown<std::byte>(row, size);
}

std::span<const float> values_of(const Matrix& matrix) {
  return {matrix.data(), matrix.size()};
}

bool packs_tiles(Precision precision) {
  return precision == Precision::kInt8 && multiplies_by_tiles();
}

void require_success(dnnl_status_t status) {
  if (status != dnnl_success) throw std::runtime_error("oneDNN refused a matmul");
}

// Rows of a matmul of activations that repay a call of oneDNN.
constexpr int kMinRows = 48;

}  // namespace

std::string packing_of(Precision precision) {
  const dnnl_version_t& version = *dnnl::version();
  const std::string tiles = format(", tiles of {}{}", packed_tiles_size(1, 1),
                                   integer_tiles_have_vnni() ? "" : ", weights shifted");
  return format("{}{}, oneDNN {}.{}.{} {}, instructions {}", name_of(precision),
                packs_tiles(precision) ? tiles : ", rows shifted", version.major, version.minor,
                version.patch, version.hash, int(dnnl::get_effective_cpu_isa()));
}

double matmul_thread_seconds() {
  return double(matmul_nanoseconds) * 1e-9;
}

struct PackedMatrix::Parts {
  Precision precision = Precision::kF32;
  bool tiles = false;  // int8: packed and multiplied by integer_tiles
  Format format = format_of(precision);
  int inputs = 0;
  int outputs = 0;
  int depth = 0;  // of the matmul: inputs, in int8 filled up to whole blocks
  Matrix bias;
  std::optional<OneDnnMatmul> onednn;  // where there are no tiles
  Block<std::byte> weights;
  Matrix scales;                     // oneDNN's int8: of each row of W
  std::vector<std::int32_t> shifts;  // likewise: what rows shifted by kShift add to each sum
  std::mutex guard;                  // of what follows
  MatmulInputs* recorded = nullptr;

  // A row of x as the matmul takes it, at `to`; its quantisation scale in int8, else 1.
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

  // Row `index` of W likewise, as oneDNN takes it.
  void convert_weight(int index, std::span<const float> row, std::byte* to) {
    if (precision != Precision::kInt8) return void(convert(row, to));
    const std::span values(reinterpret_cast<std::int8_t*>(to), std::size_t(depth));
    scales.row(0)[index] = quantise_rotated(row, values);
    shifts[index] = kShift * std::accumulate(values.begin(), values.end(), 0);
  }

  // All of W: from the cache, or read some rows at a time, converted and packed, and kept there.
  void pack(const WeightRows& rows) {
    if (precision == Precision::kInt8 && !tiles) scales = Matrix(1, outputs), shifts.resize(outputs);
    // In int8 bias and scales come after the matmul.
    const auto added = precision == Precision::kInt8 ? std::span<const float>() : values_of(bias);
    if (!tiles) onednn.emplace(depth, outputs, format, added);
    const std::size_t size = tiles ? packed_tiles_size(outputs, depth) : onednn->packed_size();
    weights = take_memory_for_weights(size);
    const std::pair<std::string, std::span<std::byte>> kept[] = {
        {rows.name, {weights.get(), size}},
        {rows.name + ".steps", std::as_writable_bytes(std::span(scales.data(), scales.size()))},
        {rows.name + ".shifts", std::as_writable_bytes(std::span(shifts))}};
    const auto read = [&](const auto& part) {
      return part.second.empty() || rows.cache->read(part.first, part.second);
    };
    if (rows.cache != nullptr && std::ranges::all_of(kept, read)) return;
    tiles ? pack_tiles(rows) : pack_for_onednn(rows);
    for (const auto& [name, bytes] : kept) {
      if (!bytes.empty() && rows.cache != nullptr) rows.cache->keep(name, bytes);
    }
  }

  void pack_tiles(const WeightRows& rows) {
    const std::span packed(weights.get(), packed_tiles_size(outputs, depth));
    std::ranges::fill(packed.last(packed_tiles_size(1, depth)), std::byte(0));
    rows.for_each([&](int index, std::span<const float> row) {
      const auto bytes = bytes_of_thread(depth);
      const std::span values(reinterpret_cast<std::int8_t*>(bytes.data()), std::size_t(depth));
      const float scale = quantise_rotated(row, values);
      pack_tile_column({values, scale, bias.size() > 0 ? bias.data()[index] : 0}, index, packed);
    });
  }

  // In one piece first, of which oneDNN makes what it wants.
  void pack_for_onednn(const WeightRows& rows) {
    const std::size_t row_bytes = std::size_t(depth) * format.operand_bytes;
    const Block<std::byte> plain = take_memory(row_bytes * outputs);
    rows.for_each([&](int index, std::span<const float> row) {
      convert_weight(index, row, plain.get() + row_bytes * index);
    });
    onednn->pack(plain.get(), weights.get());
  }

  void record(ConstMatrixView x) {
    const std::lock_guard lock(guard);
    recorded->see(x);
  }

  ColumnScales columns() const { return {values_of(scales), shifts, values_of(bias)}; }

  // What comes after the matmul: in oneDNN's int8 the sums become f32, with the scales of x.
  void finish(MatrixView y, std::span<const float> x_scales, const RowUse& use) const {
    const bool sums = precision == Precision::kInt8 && !tiles;
    if (!sums && !use) return;
    const double work = (sums ? kConversionWork : 0) + (use ? kUseWork : 0);
    parallel_for(y.rows, work * y.rows * y.cols, [&](int row) {
      if (sums) scale_sums(y.row(row), x_scales[row], columns());
      if (use) use(row, y.row(row));
    });
  }

  // Some tiles for each task, so that a thread which others disturb takes fewer.
  void tile_matmul(const TileRows& x, MatrixView y) const {
    constexpr int kTasksAThread = 8;
    const MatmulClock clock;
    const int count = tiles_of(outputs), tasks = std::min(count, kTasksAThread * thread_pool_size());
    const std::span packed(weights.get(), packed_tiles_size(outputs, depth));
    parallel_for(tasks, 2.0 * y.rows * depth * outputs, [&](int task) {
      multiply_tiles(x, packed, count * task / tasks, count * (task + 1) / tasks, y);
    });
  }

  // y = x W^T of rows that oneDNN takes as they are.
  void matmul(const void* x, std::ptrdiff_t x_stride, MatrixView y) const {
    const MatmulClock clock;
    onednn->multiply(x, x_stride, weights.get(), y);
  }
};

PackedMatrix::PackedMatrix(const WeightRows& rows, std::span<const float> bias, Precision precision)
    : parts_(std::make_unique<Parts>()) {
  if (!has_matmul(precision)) {
    throw ModelError("this CPU has no fast and exact " + std::string(name_of(precision)) +
                     " matmul; use precision f32, or auto");
  }
  Parts& parts = *parts_;
  assert(bias.empty() || int(bias.size()) == rows.rows);
  parts.precision = precision;
  parts.format = format_of(precision);
  parts.inputs = rows.cols;
  parts.outputs = rows.rows;
  parts.depth = precision == Precision::kInt8 ? rotated_size(rows.cols) : rows.cols;
  parts.tiles = packs_tiles(precision);
  constexpr int kMaxDepth = std::numeric_limits<std::int32_t>::max() / (255 * 127);
  if (precision == Precision::kInt8 && parts.depth > kMaxDepth) {
    throw ModelError(
        format("rows of {} values are too long for int8, whose sums have 32 bits; use precision bf16 or f32",
               rows.cols));
  }
  parts.recorded = rows.inputs;
  if (!bias.empty()) {
    parts.bias = Matrix(1, rows.rows);
    std::memcpy(parts.bias.data(), bias.data(), bias.size_bytes());
  }
  parts.pack(rows);
}

PackedMatrix::~PackedMatrix() = default;
PackedMatrix::PackedMatrix(PackedMatrix&&) noexcept = default;
PackedMatrix& PackedMatrix::operator=(PackedMatrix&&) noexcept = default;

int PackedMatrix::outputs() const {
  return parts_->outputs;
}

bool PackedMatrix::rounds() const {
  return parts_->precision != Precision::kF32;
}

void PackedMatrix::multiply(ConstMatrixView x, MatrixView y, const RowUse& use,
                            const RowAdapters& adapters) const {
  Parts& parts = *parts_;
  assert(x.cols == parts.inputs && x.rows == y.rows);
  if (x.rows == 0) return;
  if (parts.precision == Precision::kF32 && adapters.empty()) {
    if (parts.recorded != nullptr) parts.record(x);
    parts.matmul(x.data, x.stride, y);
    return parts.finish(y, {}, use);
  }
  MatmulRows rows(*this, x.rows, adapters);
  parallel_for(x.rows, kConversionWork * x.rows * x.cols + rows.operations_of_setting(),
               [&](int row) { rows.set(row, x.row(row)); });
  multiply(rows, y, use);
}

void PackedMatrix::multiply(const MatmulRows& x, MatrixView y, const RowUse& use, int linear) const {
  Parts& parts = *parts_;
  assert(x.parts_->precision == parts.precision && x.parts_->inputs == parts.inputs &&
         y.cols == parts.outputs && y.rows == int(x.scales_.size()));
  if (y.rows == 0) return;
  if (parts.tiles) {
    parts.tile_matmul({{x.rows_.get(), x.row_bytes_ * x.scales_.size()}, x.scales_, parts.depth}, y);
  } else {
    // In int8 the sums stand in y for a moment, as 32-bit integers.
    parts.matmul(x.rows_.get(), parts.depth, y);
  }
  if (!x.low_) return parts.finish(y, x.scales_, use);
  parts.finish(y, x.scales_, {});
  x.low_.add_to(y, linear);
  if (!use) return;
  // What comes next may be lowered by the same adapters.
  const double work = kUseWork * y.rows * y.cols + x.low_.operations_of_setting();
  parallel_for(y.rows, work, [&](int row) { use(row, y.row(row)); });
}

MatmulRows::MatmulRows(const PackedMatrix& matrix, int rows, const RowAdapters& adapters)
    : parts_(matrix.parts_.get()),
      row_bytes_(parts_->tiles ? tile_row_size(parts_->depth)
                               : std::size_t(parts_->depth) * parts_->format.operand_bytes),
      rows_(take_memory(row_bytes_ * rows)),
      scales_(rows),
      low_(adapters) {
  assert(adapters.empty() || int(adapters.size()) == rows);
}

void MatmulRows::set(int row, std::span<const float> values) {
  assert(int(values.size()) == parts_->inputs);
  if (low_) low_.set(row, values);
  if (parts_->recorded != nullptr) parts_->record({values.data(), 1, parts_->inputs});
  if (!parts_->tiles) {
    scales_[row] = parts_->convert(values, rows_.get() + row_bytes_ * row);
    return;
  }
  const auto rounded = bytes_of_thread(parts_->depth);
  scales_[row] = parts_->convert(values, rounded.data());
  place_tile_row({reinterpret_cast<const std::uint8_t*>(rounded.data()), rounded.size()}, row,
                 int(scales_.size()), {rows_.get(), row_bytes_ * scales_.size()});
}

void multiply(ConstMatrixView a, ConstMatrixView b, bool b_transposed, float alpha, float beta,
              MatrixView c) {
  assert((b_transposed ? b.cols : b.rows) == a.cols && (b_transposed ? b.rows : b.cols) == c.cols &&
         a.rows == c.rows);
  parallel_for_rows(c.rows, kMinRows, 2.0 * a.rows * a.cols * c.cols, [&](int first, int count) {
    const OneThread alone;
    const ConstMatrixView its_a = a.row_range(first, count);
    const MatrixView its_c = c.row_range(first, count);
    require_success(dnnl_sgemm('N', b_transposed ? 'T' : 'N', count, c.cols, a.cols, alpha, its_a.data,
                               a.stride, b.data, b.stride, beta, its_c.data, c.stride));
  });
}

void multiply_transposed(ConstMatrixView a, ConstMatrixView b, float alpha, float beta, MatrixView c) {
  assert(a.rows == b.rows && a.cols == c.rows && b.cols == c.cols);
  parallel_for_rows(c.rows, kMinRows, 2.0 * a.rows * a.cols * c.cols, [&](int first, int count) {
    const OneThread alone;
    const ConstMatrixView its_a = a.block(0, a.rows, first, count);
    const MatrixView its_c = c.row_range(first, count);
    require_success(dnnl_sgemm('T', 'N', count, c.cols, a.rows, alpha, its_a.data, a.stride, b.data, b.stride,
                               beta, its_c.data, c.stride));
  });
}

}  // namespace palisade
