#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

namespace palisade {

// No bound on the work of one slice.
inline constexpr double kUnboundedOperations = std::numeric_limits<double>::infinity();

// Half a layer's work, in units of the same size that do not need each other: rows, or heads.
struct HalfLayer {
  int units;
  double operations;  // floating-point operations of a unit
};

// Where a forward through layers stands that is run in slices, so that a long one can make room for others:
// some units of half a layer each. Every unit of the second half needs all of the first.
class LayerSlices {
 public:
  static constexpr int kMaxRows = 512;  // of a slice

  LayerSlices(int layers, std::array<HalfLayer, 2> halves) : layers_(layers), halves_(halves) {}

  bool done() const { return layer_ == layers_; }
  int layer() const { return layer_; }
  bool second_half() const { return half_ == 1; }
  // The next unit of this half, and how many are left with it.
  int unit() const { return unit_; }
  int units_left() const { return halves_[half_].units - unit_; }
  double operations_of_unit() const { return halves_[half_].operations; }
  // How many units are about `operations`, at least one.
  int units_within(double operations) const {
    return int(std::clamp(operations / operations_of_unit(), 1.0, double(units_left())));
  }
  // How many rows of this half, whose units they are, are about `operations`; never so few that the weights'
  // way through the caches is not repaid nor so many that what is between two matmuls leaves them, and a
  // power of two or an equal share, because matmuls are prepared for each number of rows.
  int rows_within(double operations) const {
    const int left = units_left();
    const double rows = operations / operations_of_unit();
    const int shares = (left + kMaxRows - 1) / kMaxRows;
    const int share = (left + shares - 1) / shares;
    if (rows >= share) return share;
    return std::min(left, std::max(kMinRows, int(std::bit_floor(unsigned(rows)))));
  }
  double operations_of_layer() const {
    return halves_[0].units * halves_[0].operations + halves_[1].units * halves_[1].operations;
  }
  // Nothing is to be done with units of this half before `unit`.
  void skip_to(int unit) { unit_ = std::max(unit_, unit); }
  // The next `units` of this half are done. True when that ends the layer.
  bool move(int units) {
    operations_ += units * operations_of_unit();
    unit_ += units;
    if (unit_ < halves_[half_].units) return false;
    unit_ = 0;
    half_ = 1 - half_;
    if (half_ == 1) return false;
    ++layer_;
    return true;
  }
  // Done so far.
  double operations() const { return operations_; }

 private:
  static constexpr int kMinRows = 32;
  int layers_;
  std::array<HalfLayer, 2> halves_;
  int layer_ = 0;
  int half_ = 0;
  int unit_ = 0;
  double operations_ = 0;
};

}  // namespace palisade
