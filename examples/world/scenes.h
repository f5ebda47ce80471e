#pragma once

#include <vector>

#include "examples/world/random.h"
#include "examples/world/scene.h"

namespace palisade::world {

// Scenes for training and examination. Their objects resemble each other often enough to be counted and
// compared. Ids are unique within a scene.

// `count` objects of any kind, colour and place at time 0, for the training of the image tower.
std::vector<Object> crowded_still(Random& random, int count, Kinds kinds = kStreetKinds);

// 0 to 4 objects at time 0, with the demo world's distribution of counts.
std::vector<Object> training_still(Random& random, Kinds kinds = kStreetKinds);

// Two pictures of one street; the right one often shows the same as the left one.
struct StillPair {
  Look look;
  std::vector<Object> left;
  std::vector<Object> right;
};
StillPair training_pair(Random& random, Kinds kinds = kStreetKinds);

// A window: some pictures of a street with traffic.
struct StreetWindow {
  Look look;
  std::vector<Object> objects;  // all objects that appear in the window
  std::vector<double> times;    // ascending, on the camera's grid
};
// `frames` pictures, at least two, over 4 s in most cases and otherwise up to 8 s. Half of the windows have
// less traffic than the street.
StreetWindow training_window(Random& random, int frames, Kinds kinds = kStreetKinds);

inline constexpr double kFramesPerSecond = 10;  // the camera's frame rate

}  // namespace palisade::world
