#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

namespace palisade {

// No bound on the work of one slice.
inline constexpr double kUnboundedOperations = std::numeric_limits<double>::infinity();

// Where a forward through layers stands that is run in slices, so that a long one can make room for others.
// Rows see each other, so a slice is some rows of half a layer: the first half makes queries, keys and values
// of all rows, the second does attention and MLP.
class LayerSlices {
 public:
  static constexpr int kMostRows = 512;  // of a slice

  // Floating-point operations of one row in each half.
  LayerSlices(int layers, int rows, std::array<double, 2> operations_of_row)
      : layers_(layers), rows_(rows), operations_of_row_(operations_of_row) {}

  bool done() const { return layer_ == layers_; }
  int layer() const { return layer_; }
  bool second_half() const { return half_ == 1; }
  int first_row() const { return row_; }
  // How many rows of this half are about `operations`; never so few that the weights' way through the caches
  // is not repaid nor so many that what is between two products leaves them, and a power of two or an equal
  // share, because products are prepared for each number of rows.
  int rows_within(double operations) const {
    const int left = rows_ - row_;
    const double rows = operations / operations_of_row_[half_];
    const int shares = (left + kMostRows - 1) / kMostRows;
    const int share = (left + shares - 1) / shares;
    if (rows >= share) return share;
    return std::min(left, std::max(kFewestRows, int(std::bit_floor(unsigned(rows)))));
  }
  double operations_of_layer() const { return rows_ * (operations_of_row_[0] + operations_of_row_[1]); }
  // Nothing is to be done with rows of this half before `row`.
  void skip_to(int row) { row_ = std::max(row_, row); }
  // The next `rows` of this half are done. True when that ends the layer.
  bool move(int rows) {
    operations_ += rows * operations_of_row_[half_];
    row_ += rows;
    if (row_ < rows_) return false;
    row_ = 0;
    half_ = 1 - half_;
    if (half_ == 1) return false;
    ++layer_;
    return true;
  }
  // Done so far.
  double operations() const { return operations_; }

 private:
  static constexpr int kFewestRows = 32;
  int layers_;
  int rows_;
  std::array<double, 2> operations_of_row_;
  int layer_ = 0;
  int half_ = 0;
  int row_ = 0;
  double operations_ = 0;
};

}  // namespace palisade
