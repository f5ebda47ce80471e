#pragma once

#include <functional>
#include <span>
#include <vector>

#include "examples/world/random.h"
#include "examples/world/scene.h"
#include "examples/world/truth.h"

namespace palisade::world {

// A scene without motion: 0 to 4 objects that stand anywhere at time 0, with the demo world's distribution.
std::vector<Object> random_still(Random& random);
// Draws the number of objects of such a scene, 0 to 4.
int random_count(Random& random);

// Draws the next object of a scene that already has `placed`.
using NextThing = std::function<Thing(std::span<const Object> placed)>;
// `count` objects that stand anywhere at time 0, apart from each other if there is room; ids from 0.
std::vector<Object> placed_still(Random& random, int count, const NextThing& next);

}  // namespace palisade::world
