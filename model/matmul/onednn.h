#pragma once

#include <omp.h>
#include <oneapi/dnnl/dnnl.hpp>

#include <cstddef>
#include <cstdint>

#include "model/matmul/precision.h"
#include "model/tensor/parallel.h"

// What matmuls have in common towards oneDNN. For those who call oneDNN alone.
namespace palisade {

inline dnnl::engine& cpu_engine() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

inline dnnl::stream& cpu_stream() {
  static dnnl::stream stream(cpu_engine());
  return stream;
}

inline dnnl::memory::desc matrix_desc(std::int64_t rows, std::int64_t cols, std::int64_t stride,
                                      dnnl::memory::data_type type = dnnl::memory::data_type::f32) {
  return dnnl::memory::desc({rows, cols}, type, dnnl::memory::dims{stride, 1});
}

// What oneDNN is given and gives back in each precision. int8 rows are shifted by 128: with both operands
// signed oneDNN would do that inside the matmul, at a fifth of its speed where vector units are scarce.
struct Format {
  dnnl::memory::data_type row;
  dnnl::memory::data_type weight;
  dnnl::memory::data_type result;
  std::size_t operand_bytes;
};
inline Format format_of(Precision precision) {
  switch (precision) {
    case Precision::kBf16:
      return {dnnl::memory::data_type::bf16, dnnl::memory::data_type::bf16, dnnl::memory::data_type::f32, 2};
    case Precision::kInt8:
      return {dnnl::memory::data_type::u8, dnnl::memory::data_type::s8, dnnl::memory::data_type::s32, 1};
    default:
      return {dnnl::memory::data_type::f32, dnnl::memory::data_type::f32, dnnl::memory::data_type::f32, 4};
  }
}

// Makes oneDNN work in the calling thread alone while it lives: OpenMP's threads, which it would wake, would
// take the cores from the thread pool (see parallel.h).
class OneThread {
 public:
  OneThread() : saved_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(saved_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int saved_;
};

// The constructors that changed between oneDNN 2 and 3.
inline dnnl::matmul::primitive_desc matmul_desc(const dnnl::memory::desc& x, const dnnl::memory::desc& weight,
                                                const dnnl::memory::desc* bias, const dnnl::memory::desc& y,
                                                const dnnl::primitive_attr& attributes = {}) {
#if DNNL_VERSION_MAJOR >= 3
  return bias ? dnnl::matmul::primitive_desc(cpu_engine(), x, weight, *bias, y, attributes)
              : dnnl::matmul::primitive_desc(cpu_engine(), x, weight, y, attributes);
#else
  return dnnl::matmul::primitive_desc(
      bias ? dnnl::matmul::desc(x, weight, *bias, y) : dnnl::matmul::desc(x, weight, y), attributes,
      cpu_engine());
#endif
}

inline dnnl::convolution_forward::primitive_desc convolution_desc(const dnnl::memory::desc& x,
                                                                  const dnnl::memory::desc& weight,
                                                                  const dnnl::memory::desc& bias,
                                                                  const dnnl::memory::desc& y,
                                                                  const dnnl::primitive_attr& attributes) {
  constexpr auto kKind = dnnl::prop_kind::forward_inference;
  constexpr auto kAlgorithm = dnnl::algorithm::convolution_direct;
  const dnnl::memory::dims steps = {1, 1}, padding = {0, 0};
#if DNNL_VERSION_MAJOR >= 3
  return dnnl::convolution_forward::primitive_desc(cpu_engine(), kKind, kAlgorithm, x, weight, bias, y, steps,
                                                   padding, padding, attributes);
#else
  return dnnl::convolution_forward::primitive_desc(
      {kKind, kAlgorithm, x, weight, bias, y, steps, padding, padding}, attributes, cpu_engine());
#endif
}

inline void* writable(const void* data) {
  return const_cast<void*>(data);
}

}  // namespace palisade
