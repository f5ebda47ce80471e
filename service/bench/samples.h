#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace palisade {

inline double seconds_since(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

// Repetitions of one measurement.
class Samples {
 public:
  void add(double value) { sorted_.insert(std::ranges::upper_bound(sorted_, value), value); }
  void add(const Samples& others) {
    for (const double value : others.sorted_) add(value);
  }
  std::size_t count() const { return sorted_.size(); }
  // Each is 0 where nothing was measured.
  double least() const { return count() ? sorted_.front() : 0; }
  double most() const { return count() ? sorted_.back() : 0; }
  double median() const {
    const std::size_t half = count() / 2;
    if (count() == 0) return 0;
    return count() % 2 == 1 ? sorted_[half] : (sorted_[half - 1] + sorted_[half]) / 2;
  }

 private:
  std::vector<double> sorted_;
};

}  // namespace palisade
