#include "model/onednn_product.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <string_view>
#include <vector>

#include "model/memory.h"
#include "model/parallel.h"

namespace palisade {
namespace {

using dnnl::memory;

constexpr int kTypicalRows = 256;
constexpr int kBlock = 8;  // outputs that stand together in a convolution's weights

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

OneDnnProduct::OneDnnProduct(int inputs, int outputs, const Format& format, std::span<const float> bias)
    : inputs_(inputs), outputs_(outputs), format_(format), bias_(bias) {
  const memory::desc any({inputs, outputs}, format.weight, memory::format_tag::any);
  packed_ = matmul_of(kTypicalRows, inputs, outputs, any).weights_desc();
  const bool as_they_are = packed_ == matrix_desc(inputs, outputs, outputs, format.weight);
  if (!as_they_are || format.weight != memory::data_type::f32) return;
  const auto convolution = convolution_of(kTypicalRows, outputs);
  convolves_ = std::string_view(convolution.impl_info_str()).starts_with("jit");
  if (convolves_) packed_ = convolution.weights_desc();
}

dnnl::matmul::primitive_desc OneDnnProduct::matmul_of(int rows, std::ptrdiff_t x_stride,
                                                      std::ptrdiff_t y_stride,
                                                      const memory::desc& weight) const {
  const memory::desc bias = matrix_desc(1, outputs_, outputs_);
  return matmul_desc(matrix_desc(rows, inputs_, x_stride, format_.row), weight,
                     bias_.empty() ? nullptr : &bias, matrix_desc(rows, outputs_, y_stride, format_.result),
                     with_our_scratchpad());
}

dnnl::convolution_forward::primitive_desc OneDnnProduct::convolution_of(int rows, int outputs) const {
  const memory::desc weight({outputs, inputs_, 1, 1}, format_.weight, memory::format_tag::OIhw8i8o);
  const memory::desc bias({outputs}, memory::data_type::f32, memory::format_tag::a);
  return convolution_desc(pixels(rows, inputs_), weight, bias_.empty() ? memory::desc() : bias,
                          pixels(rows, outputs), with_our_scratchpad());
}

void OneDnnProduct::pack(const void* plain, std::byte* packed) const {
  const memory::desc matrix({inputs_, outputs_}, format_.weight, memory::dims{1, inputs_});
  const memory::desc image({outputs_, inputs_, 1, 1}, format_.weight, memory::format_tag::oihw);
  memory from(convolves_ ? image : matrix, cpu_engine(), writable(plain)), to(packed_, cpu_engine(), packed);
  dnnl::reorder(from, to).execute(cpu_stream(), from, to);
  cpu_stream().wait();
}

std::shared_ptr<OneDnnProduct::Prepared> OneDnnProduct::prepare(int rows, int outputs,
                                                                std::ptrdiff_t x_stride,
                                                                std::ptrdiff_t y_stride) const {
  constexpr std::size_t kMostPrepared = 256;  // prompts come in many lengths
  const Key key{std::this_thread::get_id(), omp_get_max_threads(), rows, outputs, x_stride, y_stride};
  const std::lock_guard lock(guard_);
  if (const auto found = prepared_.find(key); found != prepared_.end()) return found->second;
  if (prepared_.size() >= kMostPrepared) prepared_.clear();
  const auto made = std::make_shared<Prepared>();
  if (convolves_) {
    const auto desc = convolution_of(rows, outputs);
    *made = {dnnl::convolution_forward(desc), arguments_of(desc)};
  } else {
    const auto desc = matmul_of(rows, x_stride, y_stride, packed_);
    *made = {dnnl::matmul(desc), arguments_of(desc)};
  }
  return prepared_.emplace(key, made).first->second;
}

void OneDnnProduct::run(const void* x, std::ptrdiff_t x_stride, const std::byte* packed, int first,
                        MatrixView y) const {
  const auto made = prepare(y.rows, y.cols, x_stride, y.stride);
  const auto give = [&](int argument, const void* data) {
    made->arguments.at(argument).set_data_handle(writable(data));
  };
  const std::size_t scratch_bytes = made->arguments.at(DNNL_ARG_SCRATCHPAD).get_desc().get_size();
  const Block<std::byte> scratchpad = scratch_bytes > 0 ? take_memory(scratch_bytes) : Block<std::byte>();
  give(DNNL_ARG_SRC, x);
  give(DNNL_ARG_WEIGHTS, packed);
  if (!bias_.empty()) give(DNNL_ARG_BIAS, bias_.data() + first);
  give(DNNL_ARG_DST, y.data);
  give(DNNL_ARG_SCRATCHPAD, scratchpad.get());
  made->primitive.execute(cpu_stream(), made->arguments);
  cpu_stream().wait();
}

// In parts of the outputs, each in one thread: oneDNN would share the rows alone, few as they may be.
void OneDnnProduct::convolve(ConstMatrixView x, const std::byte* packed, MatrixView y) const {
  constexpr int kPartsAThread = 4, kFewestBlocks = 8;
  const int blocks = (outputs_ + kBlock - 1) / kBlock, threads = omp_get_max_threads();
  const int parts = threads == 1 ? 1 : std::clamp(blocks / kFewestBlocks, 1, kPartsAThread * threads);
  const std::size_t block_size = packed_.get_size() / blocks;
  const double work = 2.0 * y.rows * y.cols * inputs_;
  parallel_for(parts, work, [&](int part) {
    const TeamFor team(work / parts);
    const int block = blocks * part / parts, first = kBlock * block;
    const int count = std::min(outputs_, blocks * (part + 1) / parts * kBlock) - first;
    const MatrixView its = y.block(0, y.rows, first, count);
    if (its.contiguous()) return run(x.data, x.stride, packed + block * block_size, first, its);
    Matrix whole(y.rows, count);
    run(x.data, x.stride, packed + block * block_size, first, whole);
    copy(whole, its);
  });
}

void OneDnnProduct::multiply(const void* x, std::ptrdiff_t x_stride, const std::byte* packed,
                             MatrixView y) const {
  if (!convolves_) return run(x, x_stride, packed, 0, y);
  const ConstMatrixView rows{static_cast<const float*>(x), y.rows, inputs_, x_stride};
  if (rows.contiguous()) return convolve(rows, packed, y);
  Matrix together(y.rows, inputs_);
  copy(rows, together);
  convolve(together, packed, y);
}

}  // namespace palisade
