#pragma once

#include <chrono>

namespace palisade {

// Media time: a frame's presentation time (pts) since the first frame of its connection, never negative.
using MediaTime = std::chrono::nanoseconds;
// Wall time only labels things. Every deadline is a MonotonicTime.
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
using MonotonicTime = std::chrono::steady_clock::time_point;

inline WallTime wall_now() {
  return std::chrono::floor<WallTime::duration>(std::chrono::system_clock::now());
}

}  // namespace palisade
