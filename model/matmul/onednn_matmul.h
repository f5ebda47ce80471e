#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <unordered_map>

#include "model/matmul/onednn.h"
#include "model/tensor/matrix.h"

namespace palisade {

// oneDNN's matmuls by the weights W [n, k] of one layer, in one format. Its matmul has weights packed once,
// but for f32 without AVX-512: that takes them as they are and copies them within each matmul, at several
// times the cost of multiplying a few rows. There a convolution of 1 x 1, whose pixels are the rows, has them
// packed; each output is then added up in the same order, however many rows share the matmul.
//
// oneDNN itself works in one thread: the thread pool shares the rows, or few rows' outputs, each part a
// matmul of its own.
class OneDnnMatmul {
 public:
  // `bias` [n], which outlives this, or empty.
  OneDnnMatmul(int inputs, int outputs, const Format& format, std::span<const float> bias);

  // Of packed weights, in bytes.
  std::size_t packed_size() const { return packed_.get_size(); }
  // W, row after row, as matmuls want it.
  void pack(const void* plain, std::byte* packed) const;
  // y [m, n] = x [m, k] W^T + bias. Rows may be strided, and are then copied. Several threads may multiply.
  void multiply(const void* x, std::ptrdiff_t x_stride, const std::byte* packed, MatrixView y) const;

 private:
  // Of one thread: making its arguments takes as long as multiplying some rows.
  struct PreparedPrimitive {
    dnnl::primitive primitive;
    std::unordered_map<int, dnnl::memory> arguments;
  };
  // The primitive for matmuls of this shape. It belongs to the calling thread and is valid until its next
  // call.
  PreparedPrimitive& prepare(int rows, int outputs) const;

  dnnl::matmul::primitive_desc matmul_of(int rows, int outputs, const dnnl::memory::desc& weight) const;
  dnnl::convolution_forward::primitive_desc convolution_of(int rows, int outputs) const;
  dnnl::memory::desc weights_of(int outputs) const;
  void for_parts(int most, double work,
                 const std::function<void(std::size_t at, int first, int count)>& use) const;
  // Of rows that stand together, and `y.cols` outputs from `first` on.
  void run(const void* x, const std::byte* packed, int first, MatrixView y) const;
  void run_parts(const std::byte* x, const std::byte* packed, MatrixView y) const;

  int inputs_;
  int outputs_;
  Format format_;
  std::span<const float> bias_;
  bool convolves_ = false;
  dnnl::memory::desc packed_;
  // How packed_ stands: so many outputs together, one such block after the other.
  dnnl::memory::format_tag tag_ = dnnl::memory::format_tag::undef;
  int block_;
};

}  // namespace palisade
