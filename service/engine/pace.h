#pragma once

#include <chrono>

namespace palisade {

// Floating-point operations a second, learnt from past slices. It turns a slice's time into operations,
// whatever the model, its precision and other load.
class Pace {
 public:
  double operations_in(std::chrono::duration<double> time) const { return per_second_ * time.count(); }
  void saw(double operations, std::chrono::duration<double> time) {
    if (operations > 0 && time.count() > 0)
      per_second_ += kWeight * (operations / time.count() - per_second_);
  }

 private:
  static constexpr double kWeight = 0.2;
  double per_second_ = 1e10;  // low, so that the first slices are short
};

}  // namespace palisade
