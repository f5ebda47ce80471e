#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "model/tensor/matrix.h"

namespace palisade {

// What a LoRA adapter adds to one matmul y = x W^T of a checkpoint (Hu et al., arXiv 2106.09685):
// y += x A^T B^T + added.
struct LowRankMatrix {
  Matrix a;                       // [rank, inputs]
  Matrix b;                       // [outputs, rank], times the adapter's scale
  std::vector<float> added = {};  // [outputs]; empty: nothing
};

// Outputs [first, first + count) of one of them, or as many columns that nothing is added to.
struct LowRankOutputs {
  const LowRankMatrix* matrix = nullptr;
  int first = 0;
  int count = 0;
};

// What an adapter adds to the matmuls of one input, packed for rows of f32: several matrices may stand one
// below the other in a Linear, and several Linears may share the input. Immutable; any thread.
class LowRank {
 public:
  LowRank() = default;  // adds nothing
  // `linears`: for each Linear, of which outputs it is made. Numbers are kept as bf16 with `halves`.
  LowRank(int inputs, std::span<const std::vector<LowRankOutputs>> linears, bool halves);

  explicit operator bool() const { return !linears_.empty(); }
  int ranks() const { return ranks_; }  // of all matrices together
  std::size_t bytes() const;
  double operations_of_lowering() const { return 2.0 * ranks_ * inputs_; }  // of a row
  // low = x A^T, with x [inputs] and low [ranks]
  void lower(std::span<const float> x, std::span<float> low) const;
  // Panels of all matrices of one Linear, to share them among threads.
  int panels(int linear) const;
  // y += low B^T in panels [first, end) of these; low [rows, ranks], y [rows, outputs of that Linear].
  void raise(int linear, int first, int end, ConstMatrixView low, MatrixView y) const;
  // Operations that raise() takes for a row of all panels.
  double operations_of_raising(int linear) const;

 private:
  // f32 or bf16.
  class Numbers {
   public:
    Numbers() = default;
    Numbers(std::size_t size, bool halves);
    void set(std::size_t at, std::span<const float> values);
    std::size_t bytes() const { return size_ * (halves_ ? 2 : 4); }
    void multiply_rows(std::span<const float> x, std::span<float> out) const;
    void add_panel(std::size_t at, std::span<const float> factors, std::span<float> y) const;

   private:
    std::size_t size_ = 0;
    bool halves_ = false;
    Block<std::byte> memory_;
  };
  struct Part {
    int first_rank, ranks, first_output, outputs;
    Numbers panels;  // [panels, ranks, kPanelColumns], the last filled up with zeros
    std::vector<float> added;
  };
  int inputs_ = 0;
  int ranks_ = 0;
  Numbers a_;  // [ranks, inputs]
  std::vector<std::vector<Part>> linears_;
};

// For each row of a matmul what is added to it, or nullptr; empty: nothing to any.
using RowAdapters = std::vector<const LowRank*>;
// The same to all rows.
inline RowAdapters rows_of(const LowRank& adapter, int rows) {
  return adapter ? RowAdapters(std::size_t(rows), &adapter) : RowAdapters();
}

// x A^T of the rows of a matmul, each with its own adapter. Several threads may set different rows.
class LowRankRows {
 public:
  explicit LowRankRows(RowAdapters adapters);

  explicit operator bool() const { return !adapters_.empty(); }
  void set(int row, std::span<const float> x);
  double operations_of_setting() const { return operations_; }  // all rows
  // Once all rows are set.
  void add_to(MatrixView y, int linear) const;

 private:
  RowAdapters adapters_;
  double operations_ = 0;
  Matrix low_;  // [rows, most ranks]
};

}  // namespace palisade
