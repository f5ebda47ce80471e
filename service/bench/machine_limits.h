#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "service/bench/samples.h"
#include "service/bench/work.h"

namespace palisade {

// Measured limits of this machine with the model's threads: bytes read from memory, and operations of a 256 x
// 2048 x 16384 matmul with packed weights in every precision of this CPU, by the faster of oneDNN and our
// own.
struct MachineLimits {
  int threads = 0;
  Samples memory;                          // bytes/s
  std::map<std::string, Samples> matmuls;  // operations/s by precision ("f32")

  void add(const MachineLimits& others);
  // Time for `work` at the median limits, and whether memory is the limit that binds.
  double seconds_of(const Work& work, const std::string& precision) const;
  bool bound_by_memory(const Work& work, const std::string& precision) const;
};

// Takes `repeats` samples of each limit. `buffer_bytes` are read, far more than the caches hold.
MachineLimits measured_limits(int repeats, std::size_t buffer_bytes = std::size_t(1) << 30);

}  // namespace palisade
