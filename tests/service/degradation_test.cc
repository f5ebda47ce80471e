#include "service/streams/degradation.h"

#include <doctest/doctest.h>

#include <vector>

using namespace palisade;

namespace {

int taken_of(Degradation& degradation, int clips) {
  int taken = 0;
  for (int i = 0; i < clips; ++i) taken += degradation.takes_next();
  return taken;
}

}  // namespace

TEST_CASE("losses cost frames first, then clips, and no more than that") {
  Degradation degradation(16);
  std::vector<int> frames, every;
  for (int loss = 0; loss < 8; ++loss) {
    frames.push_back(degradation.frames());
    every.push_back(degradation.every());
    degradation.pushed(true);
  }
  CHECK(frames == std::vector{16, 8, 4, 4, 4, 4, 4, 4});
  CHECK(every == std::vector{1, 1, 1, 2, 4, 4, 4, 4});
  CHECK(taken_of(degradation, 40) == 10);
}

TEST_CASE("pairs and stills keep their frames and lose clips") {
  for (const int frames : {1, 2}) {
    Degradation degradation(frames);
    degradation.pushed(true);
    CHECK(degradation.frames() == frames);
    CHECK(degradation.every() == 2);
  }
}

TEST_CASE("without losses everything comes back") {
  Degradation degradation(16);
  for (int i = 0; i < 10; ++i) degradation.pushed(true);
  for (int i = 0; i < 4 * 8; ++i) {
    CHECK(degradation.level() > 0);
    degradation.pushed(false);
  }
  CHECK(degradation.level() == 0);
  CHECK(taken_of(degradation, 10) == 10);
}

TEST_CASE("a load that lies between two levels is not tried again and again") {
  Degradation degradation(16);
  int lost = 0;
  for (int clip = 0; clip < 2000; ++clip) {
    const bool loses = degradation.frames() > 8;  // eight frames are what the engine can bear
    lost += loses;
    degradation.pushed(loses);
  }
  CHECK(degradation.frames() == 8);
  CHECK(lost < 24);
}
