#include "model/tile_product.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <vector>

#include "model/onednn.h"
#include "model/row_formats.h"

namespace palisade {

using dnnl::memory;

struct TileProduct::Parts {
  int rows, depth, cols;
  Format format;
  dnnl::matmul::primitive_desc desc;
  dnnl::matmul primitive;

  void convert(ConstMatrixView from, float factor, std::byte* to) const {
    thread_local std::vector<float> scaled;
    scaled.resize(std::size_t(from.cols));
    for (int row = 0; row < from.rows; ++row) {
      std::span<const float> values = from.row(row);
      if (factor != 1) {
        std::ranges::transform(values, scaled.begin(), [&](float value) { return value * factor; });
        values = scaled;
      }
      if (format.operand_bytes == 2) {
        to_bf16(values, {reinterpret_cast<std::uint16_t*>(to), values.size()});
      } else {
        std::memcpy(to, values.data(), values.size_bytes());
      }
      to += values.size() * format.operand_bytes;
    }
  }
};

TileProduct::TileProduct(int rows, int depth, int cols, bool halves) : parts_(std::make_unique<Parts>()) {
  const TeamFor alone(0);
  parts_->rows = rows;
  parts_->depth = depth;
  parts_->cols = cols;
  parts_->format = format_of(halves ? Precision::kBf16 : Precision::kF32);
  const auto operand = parts_->format.operand;
  // oneDNN's own is of the thread that makes the primitive.
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  parts_->desc = matmul_desc(matrix_desc(rows, depth, depth, operand),
                             memory::desc({depth, cols}, operand, memory::format_tag::any), nullptr,
                             matrix_desc(rows, cols, cols), attributes);
  parts_->primitive = dnnl::matmul(parts_->desc);
}
TileProduct::~TileProduct() = default;
TileProduct::TileProduct(TileProduct&&) noexcept = default;

Block<std::byte> TileProduct::pack(std::span<const ConstMatrixView> all, bool transposed,
                                   float factor) const {
  const TeamFor alone(0);
  const std::size_t bytes = parts_->format.operand_bytes;
  const Block<std::byte> plain = take_memory(bytes * parts_->depth * parts_->cols);
  std::byte* to = plain.get();
  for (const ConstMatrixView& part : all) {
    parts_->convert(part, factor, to);
    to += bytes * part.rows * part.cols;
  }
  const memory::dims strides = transposed ? memory::dims{1, parts_->depth} : memory::dims{parts_->cols, 1};
  memory given(memory::desc({parts_->depth, parts_->cols}, parts_->format.operand, strides), cpu_engine(),
               plain.get());
  Block<std::byte> packed = take_memory(parts_->desc.weights_desc().get_size());
  memory target(parts_->desc.weights_desc(), cpu_engine(), packed.get());
  dnnl::reorder(given, target).execute(cpu_stream(), given, target);
  return packed;
}

void TileProduct::multiply(ConstMatrixView a, const std::byte* packed, MatrixView c) const {
  assert(a.rows == parts_->rows && a.cols == parts_->depth && c.cols == parts_->cols && c.contiguous());
  thread_local std::vector<std::byte> narrow, scratchpad;
  const memory::desc scratch = parts_->desc.scratchpad_desc();
  if (scratchpad.size() < scratch.get_size()) scratchpad.resize(scratch.get_size());
  const std::size_t bytes = parts_->format.operand_bytes * parts_->rows * parts_->depth;
  const void* rows = a.data;
  if (parts_->format.operand_bytes == 2 || !a.contiguous()) {
    if (narrow.size() < bytes) narrow.resize(bytes);
    parts_->convert(a, 1, narrow.data());
    rows = narrow.data();
  }
  parts_->primitive.execute(
      cpu_stream(), {{DNNL_ARG_SRC, memory(parts_->desc.src_desc(), cpu_engine(), writable(rows))},
                     {DNNL_ARG_WEIGHTS, memory(parts_->desc.weights_desc(), cpu_engine(), writable(packed))},
                     {DNNL_ARG_DST, memory(parts_->desc.dst_desc(), cpu_engine(), c.data)},
                     {DNNL_ARG_SCRATCHPAD, memory(scratch, cpu_engine(), scratchpad.data())}});
}

}  // namespace palisade
