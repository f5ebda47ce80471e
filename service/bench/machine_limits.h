#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "service/bench/samples.h"
#include "service/bench/work.h"

namespace palisade {

// What this machine can do at best with the threads that the model has, measured: how fast memory is read,
// and how fast 256 x 2048 x 16384 are multiplied with packed weights in every precision that this CPU has, by
// the quicker of its ways.
struct MachineLimits {
  int threads = 0;
  Samples memory;                          // bytes/s
  std::map<std::string, Samples> matmuls;  // operations/s by precision ("f32")

  void add(const MachineLimits& others);
  // What `work` takes at the limits' medians, and which of the two it is that binds.
  double seconds_of(const Work& work, const std::string& precision) const;
  bool bound_by_memory(const Work& work, const std::string& precision) const;
};

// `repeats` samples of each limit. `buffer_bytes` is what is read: far more than the caches.
MachineLimits measured_limits(int repeats, std::size_t buffer_bytes = std::size_t(1) << 30);

}  // namespace palisade
