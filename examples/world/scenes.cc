#include "examples/world/scenes.h"

#include <cmath>

#include "examples/world/still.h"
#include "examples/world/street.h"

namespace palisade::world {
namespace {

constexpr double kAlike = 0.4;        // share of things that resemble another of their picture
constexpr double kAlikeInPair = 0.6;  // and one of the left picture
constexpr double kWarmUp = 15;        // seconds of traffic before a window begins, and as many more at most

// Of the same kind and colour, kind, or colour as one of the others.
Thing resembling(Random& random, std::span<const Object> others) {
  const Object& other = others[random.below(static_cast<int>(others.size()))];
  Thing thing = random_thing(random);
  const double share = random.unit();
  if (share < 0.8) thing.kind = other.kind;
  if (share < 0.4 || share >= 0.8) thing.colour = other.colour;
  return thing;
}

Thing next_thing(Random& random, std::span<const Object> placed) {
  return !placed.empty() && random.chance(kAlike) ? resembling(random, placed) : random_thing(random);
}

}  // namespace

std::vector<Object> crowded_still(Random& random, int count) {
  return placed_still(random, count, [&](std::span<const Object>) { return random_thing(random); });
}

std::vector<Object> training_still(Random& random) {
  const int count = random_count(random);
  return placed_still(random, count,
                      [&](std::span<const Object> placed) { return next_thing(random, placed); });
}

StillPair training_pair(Random& random) {
  StillPair pair{random_look(random), training_still(random), {}};
  const int count = random_count(random);
  pair.right = placed_still(random, count, [&](std::span<const Object> placed) {
    return !pair.left.empty() && random.chance(kAlikeInPair) ? resembling(random, pair.left)
                                                             : next_thing(random, placed);
  });
  return pair;
}

StreetWindow training_window(Random& random, int frames) {
  StreetWindow window{random_look(random), {}, {}};
  const double span = random.chance(0.7) ? 4.0 : random.between(4, 8);
  const double first = std::nearbyint(random.between(kWarmUp, 2 * kWarmUp) * kFramesPerSecond);
  for (int i = 0; i < frames; ++i)
    window.times.push_back((first + std::nearbyint(kFramesPerSecond * span * i / (frames - 1))) /
                           kFramesPerSecond);
  const double left_out = random.chance(0.5) ? random.between(0, 0.6) : 0;
  Street street(random.bits(), 0);
  for (Object& object : street.advance(window.times.back())) {
    if (object.until() < window.times.front() || random.chance(left_out)) continue;
    window.objects.push_back(std::move(object));
  }
  return window;
}

}  // namespace palisade::world
