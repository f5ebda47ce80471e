#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <tuple>
#include <unordered_map>

#include "model/matrix.h"
#include "model/onednn.h"

namespace palisade {

// oneDNN's products by the weights W [n, k] of one layer, in one format. Its matmul has weights packed once,
// but for f32 without AVX-512: that takes them as they are and copies them within each product, at several
// times the cost of multiplying a few rows. There a convolution of 1 x 1, whose pixels are the rows, has them
// packed; each output is then added up in the same order, however many rows share the product.
class OneDnnProduct {
 public:
  // `bias` [n], which outlives this, or empty.
  OneDnnProduct(int inputs, int outputs, const Format& format, std::span<const float> bias);

  // Of packed weights, in bytes.
  std::size_t packed_size() const { return packed_.get_size(); }
  // W, row after row, as products want it.
  void pack(const void* plain, std::byte* packed) const;
  // y [m, n] = x [m, k] W^T + bias. Rows may be strided. Several threads may multiply.
  void multiply(const void* x, std::ptrdiff_t x_stride, const std::byte* packed, MatrixView y) const;

 private:
  // Of one thread: making its arguments takes as long as multiplying some rows.
  struct Prepared {
    dnnl::primitive primitive;
    std::unordered_map<int, dnnl::memory> arguments;
  };
  // Who calls, threads of its team, rows, outputs, strides of x and y.
  using Key = std::tuple<std::thread::id, int, int, int, std::ptrdiff_t, std::ptrdiff_t>;

  dnnl::matmul::primitive_desc matmul_of(int rows, std::ptrdiff_t x_stride, std::ptrdiff_t y_stride,
                                         const dnnl::memory::desc& weight) const;
  dnnl::convolution_forward::primitive_desc convolution_of(int rows, int outputs) const;
  std::shared_ptr<Prepared> prepare(int rows, int outputs, std::ptrdiff_t x_stride,
                                    std::ptrdiff_t y_stride) const;
  // Of `y.cols` outputs from `first` on.
  void run(const void* x, std::ptrdiff_t x_stride, const std::byte* packed, int first, MatrixView y) const;
  void convolve(ConstMatrixView x, const std::byte* packed, MatrixView y) const;

  int inputs_;
  int outputs_;
  Format format_;
  std::span<const float> bias_;
  bool convolves_ = false;
  dnnl::memory::desc packed_;
  mutable std::mutex guard_;  // of what follows
  mutable std::map<Key, std::shared_ptr<Prepared>> prepared_;
};

}  // namespace palisade
