#pragma once

#include <cstddef>

#include "base/json.h"

namespace palisade {

// The mean of scores as they come.
class Mean {
 public:
  void add(double score) {
    sum_ += score;
    ++count_;
  }
  std::size_t count() const { return count_; }
  double value() const { return sum_ / double(count_); }  // of one or more
  // Adds it to the figures; nothing where there were no scores.
  void tell(Json& figures, const char* name, double scale = 1) const {
    if (count_ > 0) figures[name] = value() * scale;
  }

 private:
  double sum_ = 0;
  std::size_t count_ = 0;
};

}  // namespace palisade
