#include "model/matmul.h"

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#include <oneapi/dnnl/dnnl.hpp>

#include <cassert>
#include <cstring>
#include <map>
#include <stdexcept>
#include <tuple>

#include "model/parallel.h"

namespace palisade {
namespace {

using dnnl::memory;

dnnl::engine& cpu_engine() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

dnnl::stream& cpu_stream() {
  static dnnl::stream stream(cpu_engine());
  return stream;
}

memory::desc matrix_desc(std::int64_t rows, std::int64_t cols, std::int64_t stride) {
  return memory::desc({rows, cols}, memory::data_type::f32, memory::dims{stride, 1});
}

// oneDNN asks for the number of threads when a primitive is made: one for a product that is not worth the
// team.
class TeamFor {
 public:
  explicit TeamFor(double operations) : saved_(omp_get_max_threads()) {
    if (operations < kParallelWork) omp_set_num_threads(1);
  }
  ~TeamFor() { omp_set_num_threads(saved_); }
  TeamFor(const TeamFor&) = delete;
  TeamFor& operator=(const TeamFor&) = delete;

 private:
  int saved_;
};

// The one constructor that changed between oneDNN 2 and 3.
dnnl::matmul::primitive_desc matmul_desc(const memory::desc& x, const memory::desc& weight,
                                         const memory::desc* bias, const memory::desc& y) {
#if DNNL_VERSION_MAJOR >= 3
  return bias ? dnnl::matmul::primitive_desc(cpu_engine(), x, weight, *bias, y)
              : dnnl::matmul::primitive_desc(cpu_engine(), x, weight, y);
#else
  return dnnl::matmul::primitive_desc(
      bias ? dnnl::matmul::desc(x, weight, *bias, y) : dnnl::matmul::desc(x, weight, y), cpu_engine());
#endif
}

void* writable(const float* data) {
  return const_cast<float*>(data);
}

void require_success(dnnl_status_t status) {
  if (status != dnnl_success) throw std::runtime_error("oneDNN refused a matrix product");
}

}  // namespace

void parallel_for(int count, double work, const std::function<void(int)>& task) {
  if (count < 2 || work < kParallelWork) {
    for (int i = 0; i < count; ++i) task(i);
    return;
  }
#pragma omp parallel for schedule(dynamic)
  for (int i = 0; i < count; ++i) task(i);
}

struct PackedMatrix::Parts {
  struct Prepared {
    dnnl::matmul primitive;
    memory x;
    memory y;
  };
  using Key = std::tuple<int, std::ptrdiff_t, std::ptrdiff_t>;  // rows, strides of x and y

  int inputs = 0;
  int outputs = 0;
  Matrix bias;
  memory::desc bias_desc;
  memory bias_memory;
  memory weight;
  std::map<Key, Prepared> prepared;

  dnnl::matmul::primitive_desc desc_for(int rows, std::ptrdiff_t x_stride, std::ptrdiff_t y_stride,
                                        const memory::desc& weight_desc) const {
    return matmul_desc(matrix_desc(rows, inputs, x_stride), weight_desc, bias.size() ? &bias_desc : nullptr,
                       matrix_desc(rows, outputs, y_stride));
  }

  Prepared& prepare(int rows, std::ptrdiff_t x_stride, std::ptrdiff_t y_stride) {
    const Key key{rows, x_stride, y_stride};
    if (const auto found = prepared.find(key); found != prepared.end()) return found->second;
    if (prepared.size() >= 64) prepared.clear();  // prompts come in many lengths
    const auto desc = desc_for(rows, x_stride, y_stride, weight.get_desc());
    Prepared made{dnnl::matmul(desc), memory(desc.src_desc(), cpu_engine(), nullptr),
                  memory(desc.dst_desc(), cpu_engine(), nullptr)};
    return prepared.emplace(key, std::move(made)).first->second;
  }
};

PackedMatrix::PackedMatrix(ConstMatrixView weight, std::span<const float> bias)
    : parts_(std::make_unique<Parts>()) {
  Parts& parts = *parts_;
  assert(weight.contiguous() && (bias.empty() || int(bias.size()) == weight.rows));
  parts.inputs = weight.cols;
  parts.outputs = weight.rows;
  if (!bias.empty()) {
    parts.bias = Matrix(1, weight.rows);
    std::memcpy(parts.bias.data(), bias.data(), bias.size_bytes());
    parts.bias_desc = matrix_desc(1, weight.rows, weight.rows);
    parts.bias_memory = memory(parts.bias_desc, cpu_engine(), parts.bias.data());
  }
  const memory::desc any({weight.cols, weight.rows}, memory::data_type::f32, memory::format_tag::any);
  constexpr int kTypicalRows = 256;
  const auto packed = parts.desc_for(kTypicalRows, weight.cols, weight.rows, any).weights_desc();
  // W [n, k] row-major is W^T [k, n] with strides 1 and k.
  memory given(memory::desc({weight.cols, weight.rows}, memory::data_type::f32, memory::dims{1, weight.cols}),
               cpu_engine(), writable(weight.data));
  parts.weight = memory(packed, cpu_engine());
  dnnl::reorder(given, parts.weight).execute(cpu_stream(), given, parts.weight);
  cpu_stream().wait();
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

void PackedMatrix::multiply(ConstMatrixView x, MatrixView y) const {
  Parts& parts = *parts_;
  assert(x.cols == parts.inputs && y.cols == parts.outputs && x.rows == y.rows);
  if (x.rows == 0) return;
  const TeamFor team(2.0 * x.rows * x.cols * y.cols);
  auto& prepared = parts.prepare(x.rows, x.stride, y.stride);
  prepared.x.set_data_handle(writable(x.data));
  prepared.y.set_data_handle(y.data);
  std::unordered_map<int, memory> arguments = {
      {DNNL_ARG_SRC, prepared.x}, {DNNL_ARG_WEIGHTS, parts.weight}, {DNNL_ARG_DST, prepared.y}};
  if (parts.bias.size()) arguments.emplace(DNNL_ARG_BIAS, parts.bias_memory);
  prepared.primitive.execute(cpu_stream(), arguments);
  cpu_stream().wait();
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
