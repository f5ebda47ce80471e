#include "model/matmul/low_rank.h"

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <map>

#include "model/kernels/low_rank.h"
#include "model/kernels/row_formats.h"
#include "model/tensor/memory.h"
#include "model/tensor/parallel.h"

namespace palisade {
namespace {

int panels_of(int outputs) {
  return (outputs + kPanelColumns - 1) / kPanelColumns;
}

// Few rows wait for the memory in which an adapter stands: as long as this many rows are computed.
constexpr double kRowsOfReading = 8;

}  // namespace

LowRank::Numbers::Numbers(std::size_t size, bool halves)
    : size_(size), halves_(halves), memory_(take_memory_for_weights(bytes())) {}

void LowRank::Numbers::set(std::size_t at, std::span<const float> values) {
  assert(at + values.size() <= size_);
  if (halves_) {
    to_bf16(values, {reinterpret_cast<std::uint16_t*>(memory_.get()) + at, values.size()});
  } else {
    std::memcpy(reinterpret_cast<float*>(memory_.get()) + at, values.data(), values.size_bytes());
  }
}

void LowRank::Numbers::multiply_rows(std::span<const float> x, std::span<float> out) const {
  if (halves_) {
    palisade::multiply_rows({reinterpret_cast<const std::uint16_t*>(memory_.get()), size_}, x, out);
  } else {
    palisade::multiply_rows({reinterpret_cast<const float*>(memory_.get()), size_}, x, out);
  }
}

void LowRank::Numbers::add_panel(std::size_t at, std::span<const float> factors, std::span<float> y) const {
  const std::size_t size = factors.size() * kPanelColumns;
  if (halves_) {
    const std::span panel(reinterpret_cast<const std::uint16_t*>(memory_.get()) + at, size);
    palisade::add_panel(panel, factors, y);
  } else {
    palisade::add_panel({reinterpret_cast<const float*>(memory_.get()) + at, size}, factors, y);
  }
}

LowRank::LowRank(int inputs, std::span<const std::vector<LowRankOutputs>> linears, bool halves)
    : inputs_(inputs) {
  std::map<const LowRankMatrix*, int> first_ranks;
  std::vector<const LowRankMatrix*> matrices;
  for (const auto& linear : linears) {
    for (const LowRankOutputs& some : linear) {
      if (some.matrix == nullptr || !first_ranks.insert({some.matrix, ranks_}).second) continue;
      matrices.push_back(some.matrix);
      ranks_ += some.matrix->a.rows();
    }
  }
  if (matrices.empty()) return;
  a_ = Numbers(std::size_t(ranks_) * inputs, halves);
  for (const LowRankMatrix* matrix : matrices) {
    assert(matrix->a.cols() == inputs && matrix->b.cols() == matrix->a.rows());
    a_.set(std::size_t(first_ranks[matrix]) * inputs, {matrix->a.data(), matrix->a.size()});
  }
  for (const auto& linear : linears) {
    std::vector<Part>& parts = linears_.emplace_back();
    int first_output = 0;
    for (const LowRankOutputs& some : linear) {
      if (some.matrix != nullptr) {
        const Matrix& b = some.matrix->b;
        Part part{.first_rank = first_ranks[some.matrix],
                  .ranks = b.cols(),
                  .first_output = first_output,
                  .outputs = some.count,
                  .panels = Numbers(std::size_t(panels_of(some.count)) * b.cols() * kPanelColumns, halves)};
        for (int panel = 0; panel < panels_of(some.count); ++panel) {
          for (int rank = 0; rank < part.ranks; ++rank) {
            float values[kPanelColumns] = {};
            const int first = panel * kPanelColumns;
            for (int i = 0; i < std::min(kPanelColumns, some.count - first); ++i)
              values[i] = b.row(some.first + first + i)[rank];
            part.panels.set((std::size_t(panel) * part.ranks + rank) * kPanelColumns, values);
          }
        }
        if (!some.matrix->added.empty()) {
          const auto from = some.matrix->added.begin() + some.first;
          part.added.assign(from, from + some.count);
        }
        parts.push_back(std::move(part));
      }
      first_output += some.count;
    }
  }
}

std::size_t LowRank::bytes() const {
  std::size_t bytes = a_.bytes();
  for (const auto& parts : linears_) {
    for (const Part& part : parts) bytes += part.panels.bytes() + part.added.size() * sizeof(float);
  }
  return bytes;
}

void LowRank::lower(std::span<const float> x, std::span<float> low) const {
  a_.multiply_rows(x, low);
}

int LowRank::panels(int linear) const {
  int panels = 0;
  for (const Part& part : linears_[linear]) panels += panels_of(part.outputs);
  return panels;
}

double LowRank::operations_of_raising(int linear) const {
  double operations = 0;
  for (const Part& part : linears_[linear]) operations += 2.0 * part.ranks * part.outputs;
  return operations;
}

void LowRank::raise(int linear, int first, int end, ConstMatrixView low, MatrixView y) const {
  for (const Part& part : linears_[linear]) {
    const int count = panels_of(part.outputs);
    for (int panel = std::max(first, 0); panel < std::min(end, count); ++panel) {
      const int from = panel * kPanelColumns, columns = std::min(kPanelColumns, part.outputs - from);
      const std::size_t at = std::size_t(panel) * part.ranks * kPanelColumns;
      for (int row = 0; row < y.rows; ++row) {
        const auto out = y.row(row).subspan(part.first_output + from, columns);
        part.panels.add_panel(at, low.row(row).subspan(part.first_rank, part.ranks), out);
        for (int i = 0; i < columns && !part.added.empty(); ++i) out[i] += part.added[from + i];
      }
    }
    first -= count, end -= count;
  }
}

LowRankRows::LowRankRows(RowAdapters adapters) : adapters_(std::move(adapters)) {
  int ranks = 0;
  const LowRank* last = nullptr;
  for (const LowRank* adapter : adapters_) {
    if (adapter == nullptr) continue;
    ranks = std::max(ranks, adapter->ranks());
    operations_ += (adapter == last ? 1 : kRowsOfReading) * adapter->operations_of_lowering();
    last = adapter;
  }
  if (ranks == 0) adapters_.clear();
  low_ = Matrix(int(adapters_.size()), ranks);
}

void LowRankRows::set(int row, std::span<const float> x) {
  const LowRank* const adapter = adapters_[row];
  if (adapter != nullptr) adapter->lower(x, low_.row(row).first(adapter->ranks()));
}

void LowRankRows::add_to(MatrixView y, int linear) const {
  struct Run {
    const LowRank* adapter;
    int first, count;
  };
  std::vector<Run> runs;
  double operations = 0;
  int tasks = 1;
  for (int row = 0; row < y.rows; ++row) {
    const LowRank* const adapter = adapters_[row];
    if (adapter == nullptr) continue;
    const bool goes_on =
        !runs.empty() && runs.back().adapter == adapter && runs.back().first + runs.back().count == row;
    if (!goes_on) {
      runs.push_back({adapter, row, 0});
      operations += kRowsOfReading * adapter->operations_of_raising(linear);
      tasks = std::max(tasks, adapter->panels(linear));
    }
    ++runs.back().count;
    operations += adapter->operations_of_raising(linear);
  }
  tasks = std::min(tasks, kPartsAThread * thread_pool_size());
  parallel_for(tasks, operations, [&](int task) {
    for (const Run& run : runs) {
      const int panels = run.adapter->panels(linear);
      run.adapter->raise(linear, panels * task / tasks, panels * (task + 1) / tasks,
                         low_.view().row_range(run.first, run.count), y.row_range(run.first, run.count));
    }
  });
}

}  // namespace palisade
