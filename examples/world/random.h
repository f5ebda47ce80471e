#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>

namespace palisade::world {

// Random numbers that are the same on every machine for a seed. The C++ standard specifies the engine exactly
// but not its distributions, which are therefore written out here. Not thread-safe.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // In [0, 1).
  double unit() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }
  double between(double low, double high) { return low + (high - low) * unit(); }
  bool chance(double probability) { return unit() < probability; }
  // In 0..count-1.
  int below(int count) { return static_cast<int>(unit() * count); }
  std::uint64_t bits() { return engine_(); }

  // Normally distributed: mean 0, standard deviation 1 (Box and Muller).
  double gaussian() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - unit()));
    return radius * std::cos(2.0 * std::numbers::pi * unit());
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace palisade::world
