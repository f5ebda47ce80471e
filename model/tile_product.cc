#include "model/tile_product.h"

#include <cassert>
#include <map>
#include <mutex>
#include <tuple>
#include <vector>

#include "model/onednn.h"
#include "model/row_formats.h"

namespace palisade {

using dnnl::memory;

struct TileProduct::Parts {
  dnnl::matmul::primitive_desc desc;
  dnnl::matmul primitive;
};

TileProduct::TileProduct(int rows, int depth, int cols, std::ptrdiff_t stride) {
  constexpr std::size_t kMostKept = 256;  // prompts come in many lengths
  static std::mutex guard;
  static std::map<std::tuple<int, int, int, std::ptrdiff_t>, std::shared_ptr<const Parts>> kept;
  const std::lock_guard lock(guard);
  if (kept.size() >= kMostKept) kept.clear();
  std::shared_ptr<const Parts>& found = kept[{rows, depth, cols, stride}];
  if (!found) {
    const TeamFor alone(0);
    constexpr auto kOperand = memory::data_type::bf16;
    // oneDNN's own is of the thread that makes the primitive.
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const auto desc = matmul_desc(matrix_desc(rows, depth, depth, kOperand),
                                  memory::desc({depth, cols}, kOperand, memory::format_tag::any), nullptr,
                                  matrix_desc(rows, cols, stride), attributes);
    found = std::make_shared<const Parts>(Parts{desc, dnnl::matmul(desc)});
  }
  parts_ = found;
}

Block<std::byte> TileProduct::pack(std::span<const ConstMatrixView> all, bool transposed) const {
  const TeamFor alone(0);
  const memory::desc packed_desc = parts_->desc.weights_desc();
  const auto depth = packed_desc.dims()[0], cols = packed_desc.dims()[1];
  const Block<std::byte> plain = take_memory(sizeof(std::uint16_t) * std::size_t(depth * cols));
  auto* to = reinterpret_cast<std::uint16_t*>(plain.get());
  for (const ConstMatrixView& part : all) {
    for (int row = 0; row < part.rows; ++row, to += part.cols)
      to_bf16(part.row(row), {to, std::size_t(part.cols)});
  }
  const memory::dims strides = transposed ? memory::dims{1, depth} : memory::dims{cols, 1};
  memory given(memory::desc({depth, cols}, memory::data_type::bf16, strides), cpu_engine(), plain.get());
  Block<std::byte> packed = take_memory(packed_desc.get_size());
  memory target(packed_desc, cpu_engine(), packed.get());
  dnnl::reorder(given, target).execute(cpu_stream(), given, target);
  return packed;
}

void TileProduct::multiply(const std::uint16_t* a, const std::byte* packed, MatrixView c) const {
  thread_local std::vector<std::byte> scratchpad;
  const memory::desc scratch = parts_->desc.scratchpad_desc(), target = parts_->desc.dst_desc();
  assert(c.rows == target.dims()[0] && c.cols == target.dims()[1]);
  if (scratchpad.size() < scratch.get_size()) scratchpad.resize(scratch.get_size());
  parts_->primitive.execute(
      cpu_stream(), {{DNNL_ARG_SRC, memory(parts_->desc.src_desc(), cpu_engine(), writable(a))},
                     {DNNL_ARG_WEIGHTS, memory(parts_->desc.weights_desc(), cpu_engine(), writable(packed))},
                     {DNNL_ARG_DST, memory(target, cpu_engine(), c.data)},
                     {DNNL_ARG_SCRATCHPAD, memory(scratch, cpu_engine(), scratchpad.data())}});
}

}  // namespace palisade
