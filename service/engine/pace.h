#pragma once

#include <chrono>

namespace palisade {

// How many floating-point operations this machine does in a time, learnt from the slices done so far: what
// bounds a slice is the clock, whatever the model, its precision and the neighbours on the machine.
class Pace {
 public:
  double operations_in(std::chrono::duration<double> time) const { return per_second_ * time.count(); }
  void saw(double operations, std::chrono::duration<double> time) {
    if (operations > 0 && time.count() > 0)
      per_second_ += kWeight * (operations / time.count() - per_second_);
  }

 private:
  static constexpr double kWeight = 0.2;
  double per_second_ = 1e10;  // slow, so that the first slices are short ones
};

}  // namespace palisade
