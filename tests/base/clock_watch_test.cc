#include "base/clock_watch.h"

#include <doctest/doctest.h>

namespace palisade {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("R-25, R-26 a wall clock that is set is noticed once, either way; one that is adjusted is not") {
  ClockWatch watch;
  const WallTime wall{hours(500'000)};
  const MonotonicTime monotonic{seconds(77)};
  CHECK_FALSE(watch.step(wall, monotonic));
  CHECK_FALSE(watch.step(wall + seconds(2) + milliseconds(20), monotonic + seconds(2)));
  CHECK(watch.step(wall + seconds(4) + hours(1), monotonic + seconds(4)) == hours(1) - milliseconds(20));
  CHECK_FALSE(watch.step(wall + seconds(6) + hours(1), monotonic + seconds(6)));
  CHECK(watch.step(wall + seconds(8) - hours(1), monotonic + seconds(8)) == -hours(2));
  CHECK_FALSE(watch.step(wall + seconds(10) - hours(1), monotonic + seconds(10)));
}

}  // namespace
}  // namespace palisade
