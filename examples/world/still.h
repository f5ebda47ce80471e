#pragma once

#include <vector>

#include "examples/world/random.h"
#include "examples/world/scene.h"

namespace palisade::world {

// A scene without motion, as the demo world mixes them: 0 to 4 objects that stand anywhere at time 0.
std::vector<Object> random_still(Random& random);

}  // namespace palisade::world
