#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace palisade {

// Makes ULIDs: 48 bits of milliseconds and 80 random bits, in Crockford's base 32. Each sorts after the one
// before it, also within a millisecond and after the clock was set back. Not thread-safe.
class UlidSource {
 public:
  UlidSource() = default;
  // All come after `last`, a ULID of an earlier run; anything else is ignored.
  explicit UlidSource(std::string_view last);
  std::string next(WallTime now);

 private:
  void draw();
  void increment();

  std::uint64_t time_ms_ = 0;
  std::array<std::uint8_t, 10> random_{};
  bool drawn_ = false;
};

// The least ULID of a time.
std::string first_ulid(WallTime time);
// When a ULID was made; 1970 where it is none.
WallTime ulid_time(std::string_view id);

}  // namespace palisade
