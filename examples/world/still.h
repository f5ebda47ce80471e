#pragma once

#include <functional>
#include <span>
#include <vector>

#include "examples/world/random.h"
#include "examples/world/scene.h"
#include "examples/world/truth.h"

namespace palisade::world {

// A scene without motion, as the demo world mixes them: 0 to 4 objects that stand anywhere at time 0.
std::vector<Object> random_still(Random& random);
// How many objects such a scene has, 0 to 4.
int random_count(Random& random);

// Says what stands next to those already `placed`.
using NextThing = std::function<Thing(std::span<const Object> placed)>;
// `count` things that stand anywhere at time 0, apart as far as there is room; ids from zero.
std::vector<Object> placed_still(Random& random, int count, const NextThing& next);

}  // namespace palisade::world
