#include "ingest/turns.h"

#include <doctest/doctest.h>

using namespace palisade;
using namespace std::chrono_literals;

namespace {

const MonotonicTime kTurnsBegin{1h};

FrameStamp turn_stamp(std::uint64_t number, MediaTime pts) {
  return {.number = number,
          .pts = pts,
          .wall = WallTime(5h) + std::chrono::floor<std::chrono::microseconds>(pts)};
}

}  // namespace

TEST_CASE("media time, wall time and numbers go on over the turns of a file") {
  Turns turns(kTurnsBegin);
  for (int turn = 0; turn < 3; ++turn) {
    for (int i = 0; i < 50; ++i) {
      const FrameStamp stamp = turns.going_on(turn_stamp(i, 1h + i * 40ms));
      CHECK(stamp.pts == 1h + turn * 2s + i * 40ms);
      CHECK(stamp.wall == WallTime(6h) + turn * 2s + i * 40ms);
      CHECK(stamp.number == std::uint64_t(turn * 50 + i));
      CHECK(turns.moved(turn_stamp(i, 1h + i * 40ms)).pts == stamp.pts);
    }
    CHECK(turns.next(1h + 2s, kTurnsBegin) == kTurnsBegin + (turn + 1) * 2s);
  }
}

TEST_CASE("no turn is shorter than a second, or than its one picture is shown") {
  Turns film(kTurnsBegin);
  film.going_on(turn_stamp(0, 0s));
  CHECK(film.next(40ms, kTurnsBegin) == kTurnsBegin + 1s);
  CHECK(film.going_on(turn_stamp(0, 0s)).pts == 1s);
  for (int i = 1; i < 5; ++i) film.going_on(turn_stamp(i, i * 40ms));
  CHECK(film.next(200ms, kTurnsBegin) == kTurnsBegin + 2s);
  Turns picture(kTurnsBegin);
  picture.going_on(turn_stamp(0, 0s));
  CHECK(picture.next(10s, kTurnsBegin) == kTurnsBegin + 10s);
}

TEST_CASE("turns that were late are not made up for") {
  Turns turns(kTurnsBegin);
  turns.going_on(turn_stamp(0, 0s));
  turns.going_on(turn_stamp(1, 2s));
  CHECK(turns.next({}, kTurnsBegin + 1h) == kTurnsBegin + 1h);
  turns.going_on(turn_stamp(0, 0s));
  turns.going_on(turn_stamp(1, 2s));
  CHECK(turns.next({}, kTurnsBegin + 1h) == kTurnsBegin + 1h + 4s);
}
