#pragma once

#include <vector>

#include "examples/world/random.h"
#include "examples/world/scene.h"

namespace palisade::world {

// What models are taught and examined on: scenes of the demo world in which things resemble each other often
// enough to be counted and compared. Ids are unique within a scene.

// `count` objects anywhere at time 0, any kinds and colours: for the image tower.
std::vector<Object> crowded_still(Random& random, int count, Kinds kinds = kStreetKinds);

// 0 to 4 objects at time 0, as the demo world counts them.
std::vector<Object> training_still(Random& random, Kinds kinds = kStreetKinds);

// Two pictures of one street; the right one often has what the left one has.
struct StillPair {
  Look look;
  std::vector<Object> left;
  std::vector<Object> right;
};
StillPair training_pair(Random& random, Kinds kinds = kStreetKinds);

// Some pictures of a street in traffic.
struct StreetWindow {
  Look look;
  std::vector<Object> objects;  // that are there at any time of the window
  std::vector<double> times;    // ascending, on the camera's grid
};
// `frames` pictures over 4 s in most cases, else over up to 8 s; two at least. Half of the windows have
// thinner traffic than the street.
StreetWindow training_window(Random& random, int frames, Kinds kinds = kStreetKinds);

inline constexpr double kFramesPerSecond = 10;  // of the camera

}  // namespace palisade::world
