#include "model/matmul/onednn_matmul.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <map>
#include <string_view>
#include <tuple>
#include <vector>

#include "model/tensor/memory.h"
#include "model/tensor/parallel.h"

namespace palisade {
namespace {

using dnnl::memory;

constexpr int kTypicalRows = 256;

// How weights may be packed, and how many outputs then stand together.
struct Packing {
  memory::format_tag tag;
  int block;
};
constexpr Packing kConvolution = {memory::format_tag::OIhw8i8o, 8};
constexpr Packing kMatmul[] = {{memory::format_tag::BA16a64b, 64},   {memory::format_tag::BA16a48b, 48},
                               {memory::format_tag::BA16a32b, 32},   {memory::format_tag::BA16a16b, 16},
                               {memory::format_tag::BA16a64b2a, 64}, {memory::format_tag::BA16a48b2a, 48},
                               {memory::format_tag::BA16a32b2a, 32}, {memory::format_tag::BA16a16b2a, 16},
                               {memory::format_tag::BA16a64b4a, 64}, {memory::format_tag::BA16a48b4a, 48},
                               {memory::format_tag::BA16a32b4a, 32}, {memory::format_tag::BA16a16b4a, 16}};

// oneDNN's own scratchpad is of the thread that makes the primitive.
dnnl::primitive_attr with_our_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

// Rows as pixels: [rows, width] is an image of 1 x rows with so many channels.
memory::desc pixels(int rows, int width) {
  return {{1, width, 1, rows}, memory::data_type::f32, memory::format_tag::nhwc};
}

// All but their data. A matmul without a bias refuses to be given one, even one of no size.
template <typename Desc>
std::unordered_map<int, memory> arguments_of(const Desc& desc) {
  const auto empty = [](const memory::desc& of) { return memory(of, cpu_engine(), DNNL_MEMORY_NONE); };
  std::unordered_map<int, memory> arguments = {{DNNL_ARG_SRC, empty(desc.src_desc())},
                                               {DNNL_ARG_WEIGHTS, empty(desc.weights_desc())},
                                               {DNNL_ARG_DST, empty(desc.dst_desc())},
                                               {DNNL_ARG_SCRATCHPAD, empty(desc.scratchpad_desc())}};
  if (const auto bias = desc.bias_desc(); bias.get_size() > 0) arguments.emplace(DNNL_ARG_BIAS, empty(bias));
  return arguments;
}

}  // namespace

OneDnnMatmul::OneDnnMatmul(int inputs, int outputs, const Format& format, std::span<const float> bias)
    : inputs_(inputs), outputs_(outputs), format_(format), bias_(bias), block_(outputs) {
  const OneThread alone;
  const memory::desc any({inputs, outputs}, format.weight, memory::format_tag::any);
  packed_ = matmul_of(kTypicalRows, outputs, any).weights_desc();
  for (const Packing& packing : kMatmul) {
    if (packed_ == memory::desc({inputs, outputs}, format.weight, packing.tag))
      tag_ = packing.tag, block_ = packing.block;
  }
  const bool as_they_are = packed_ == matrix_desc(inputs, outputs, outputs, format.weight);
  if (!as_they_are || format.weight != memory::data_type::f32) return;
  const auto convolution = convolution_of(kTypicalRows, outputs);
  convolves_ = std::string_view(convolution.impl_info_str()).starts_with("jit");
  if (!convolves_) return;
  packed_ = convolution.weights_desc();
  tag_ = kConvolution.tag, block_ = kConvolution.block;
}

// Of some outputs, of all where weights are packed as nothing that is known here.
memory::desc OneDnnMatmul::weights_of(int outputs) const {
  if (outputs == outputs_) return packed_;
  if (convolves_) return {{outputs, inputs_, 1, 1}, format_.weight, tag_};
  return {{inputs_, outputs}, format_.weight, tag_};
}

// use(where it begins in what is packed, its first output, how many) of at most `most` parts, by the thread
// pool.
void OneDnnMatmul::for_parts(int most, double work,
                             const std::function<void(std::size_t at, int first, int count)>& use) const {
  const int blocks = (outputs_ + block_ - 1) / block_, parts = std::min(blocks, most);
  const std::size_t block_size = packed_.get_size() / blocks;
  parallel_for(parts, work, [&](int part) {
    const int block = int(std::int64_t(blocks) * part / parts), first = block_ * block;
    const int end = block_ * int(std::int64_t(blocks) * (part + 1) / parts);
    use(block * block_size, first, std::min(outputs_, end) - first);
  });
}

dnnl::matmul::primitive_desc OneDnnMatmul::matmul_of(int rows, int outputs,
                                                     const memory::desc& weight) const {
  const memory::desc bias = matrix_desc(1, outputs, outputs);
  return matmul_desc(matrix_desc(rows, inputs_, inputs_, format_.row), weight,
                     bias_.empty() ? nullptr : &bias, matrix_desc(rows, outputs, outputs, format_.result),
                     with_our_scratchpad());
}

dnnl::convolution_forward::primitive_desc OneDnnMatmul::convolution_of(int rows, int outputs) const {
  const memory::desc weight({outputs, inputs_, 1, 1}, format_.weight, kConvolution.tag);
  const memory::desc bias({outputs}, memory::data_type::f32, memory::format_tag::a);
  return convolution_desc(pixels(rows, inputs_), weight, bias_.empty() ? memory::desc() : bias,
                          pixels(rows, outputs), with_our_scratchpad());
}

void OneDnnMatmul::pack(const void* plain, std::byte* packed) const {
  const std::size_t row_bytes = format_.operand_bytes * inputs_;
  for_parts(kPartsAThread * thread_pool_size(), kParallelWork, [&](std::size_t at, int first, int count) {
    const OneThread alone;
    const memory::desc matrix({inputs_, count}, format_.weight, memory::dims{1, inputs_});
    const memory::desc image({count, inputs_, 1, 1}, format_.weight, memory::format_tag::oihw);
    const auto* const rows = static_cast<const std::byte*>(plain) + row_bytes * first;
    memory from(convolves_ ? image : matrix, cpu_engine(), writable(rows));
    memory to(weights_of(count), cpu_engine(), packed + at);
    dnnl::reorder(from, to).execute(cpu_stream(), from, to);
    cpu_stream().wait();
  });
}

OneDnnMatmul::PreparedPrimitive& OneDnnMatmul::prepare(int rows, int outputs) const {
  constexpr std::size_t kMaxPrepared = 1024;  // prompts come in many lengths
  // How its weights are packed follows from what a matmul is made of, so layers that are alike share.
  using Key = std::tuple<int, int, int, int, memory::data_type, memory::data_type, bool>;
  thread_local std::map<Key, PreparedPrimitive> prepared;
  const Key key{rows, outputs, inputs_, outputs_, format_.row, format_.weight, bias_.empty()};
  if (const auto found = prepared.find(key); found != prepared.end()) return found->second;
  if (prepared.size() >= kMaxPrepared) prepared.clear();
  if (convolves_) {
    const auto desc = convolution_of(rows, outputs);
    return prepared.emplace(key, PreparedPrimitive{dnnl::convolution_forward(desc), arguments_of(desc)})
        .first->second;
  }
  const auto desc = matmul_of(rows, outputs, weights_of(outputs));
  return prepared.emplace(key, PreparedPrimitive{dnnl::matmul(desc), arguments_of(desc)}).first->second;
}

void OneDnnMatmul::run(const void* x, const std::byte* packed, int first, MatrixView y) const {
  const OneThread alone;
  PreparedPrimitive& made = prepare(y.rows, y.cols);
  const auto give = [&](int argument, const void* data) {
    made.arguments.at(argument).set_data_handle(writable(data));
  };
  const std::size_t scratch_bytes = made.arguments.at(DNNL_ARG_SCRATCHPAD).get_desc().get_size();
  const Block<std::byte> scratchpad = scratch_bytes > 0 ? take_memory(scratch_bytes) : Block<std::byte>();
  give(DNNL_ARG_SRC, x);
  give(DNNL_ARG_WEIGHTS, packed);
  if (!bias_.empty()) give(DNNL_ARG_BIAS, bias_.data() + first);
  give(DNNL_ARG_DST, y.data);
  give(DNNL_ARG_SCRATCHPAD, scratchpad.get());
  made.primitive.execute(cpu_stream(), made.arguments);
  cpu_stream().wait();
}

void OneDnnMatmul::run_parts(const std::byte* x, const std::byte* packed, MatrixView y) const {
  constexpr int kMinRows = 128, kMinOutputs = 64;
  const int threads = thread_pool_size(), most = kPartsAThread * threads;
  const double work = 2.0 * y.rows * y.cols * inputs_;
  if (in_task() || work < kParallelWork) return run(x, packed, 0, y);
  if (y.rows >= kMinRows * threads) {
    return parallel_for_rows(y.rows, kMinRows, work, [&](int first, int count) {
      run(x + format_.operand_bytes * inputs_ * first, packed, 0, y.row_range(first, count));
    });
  }
  for_parts(std::clamp(outputs_ / kMinOutputs, 1, most), work, [&](std::size_t at, int first, int count) {
    const MatrixView its = y.block(0, y.rows, first, count);
    if (its.contiguous()) return run(x, packed + at, first, its);
    Matrix whole(y.rows, count);
    run(x, packed + at, first, whole);
    copy(whole, its);
  });
}

// oneDNN has nothing but its reference loops, which are for tests, where rows do not stand together.
void OneDnnMatmul::multiply(const void* x, std::ptrdiff_t x_stride, const std::byte* packed,
                            MatrixView y) const {
  const std::size_t row_bytes = format_.operand_bytes * inputs_, stride = format_.operand_bytes * x_stride;
  const auto* from = static_cast<const std::byte*>(x);
  Block<std::byte> together;
  if (x_stride != inputs_ && y.rows > 1) {
    together = take_memory(row_bytes * y.rows);
    for (int row = 0; row < y.rows; ++row)
      std::memcpy(together.get() + row_bytes * row, from + stride * row, row_bytes);
    from = together.get();
  }
  if (y.contiguous()) return run_parts(from, packed, y);
  Matrix whole(y.rows, y.cols);
  run_parts(from, packed, whole);
  copy(whole, y);
}

}  // namespace palisade
