#include "examples/world/scenes.h"

#include <cmath>

#include "examples/world/still.h"
#include "examples/world/street.h"

namespace palisade::world {
namespace {

constexpr double kAlike = 0.4;        // share of objects that resemble another one in the picture
constexpr double kAlikeInPair = 0.6;  // the same for the second picture of a pair and the first one
constexpr double kWarmUp = 15;        // seconds of traffic before a window begins: so many to twice as many

// An object with the kind, the colour or both of one of the others.
Thing resembling(Random& random, std::span<const Object> others, Kinds kinds) {
  const Object& other = others[random.below(static_cast<int>(others.size()))];
  Thing thing = random_thing(random, kinds);
  const double share = random.unit();
  if (share < 0.8) thing.kind = other.kind;
  if (share < 0.4 || share >= 0.8) thing.colour = other.colour;
  return thing;
}

Thing next_thing(Random& random, std::span<const Object> placed, Kinds kinds) {
  return !placed.empty() && random.chance(kAlike) ? resembling(random, placed, kinds)
                                                  : random_thing(random, kinds);
}

}  // namespace

std::vector<Object> crowded_still(Random& random, int count, Kinds kinds) {
  return placed_still(random, count, [&](std::span<const Object>) { return random_thing(random, kinds); });
}

std::vector<Object> training_still(Random& random, Kinds kinds) {
  const int count = random_count(random);
  return placed_still(random, count,
                      [&](std::span<const Object> placed) { return next_thing(random, placed, kinds); });
}

StillPair training_pair(Random& random, Kinds kinds) {
  StillPair pair{random_look(random), training_still(random, kinds), {}};
  const int count = random_count(random);
  pair.right = placed_still(random, count, [&](std::span<const Object> placed) {
    return !pair.left.empty() && random.chance(kAlikeInPair) ? resembling(random, pair.left, kinds)
                                                             : next_thing(random, placed, kinds);
  });
  return pair;
}

StreetWindow training_window(Random& random, int frames, Kinds kinds) {
  StreetWindow window{random_look(random), {}, {}};
  const double span = random.chance(0.7) ? 4.0 : random.between(4, 8);
  const double first = std::nearbyint(random.between(kWarmUp, 2 * kWarmUp) * kFramesPerSecond);
  for (int i = 0; i < frames; ++i)
    window.times.push_back((first + std::nearbyint(kFramesPerSecond * span * i / (frames - 1))) /
                           kFramesPerSecond);
  const double left_out = random.chance(0.5) ? random.between(0, 0.6) : 0;
  Street street(random.bits(), 0, kinds);
  for (Object& object : street.advance(window.times.back())) {
    if (object.until() < window.times.front() || random.chance(left_out)) continue;
    window.objects.push_back(std::move(object));
  }
  return window;
}

}  // namespace palisade::world
