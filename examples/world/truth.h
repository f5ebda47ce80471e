#pragma once

#include <compare>
#include <span>
#include <vector>

#include "examples/world/scene.h"

namespace palisade::world {

// What a still picture shows of an object. Ordered by kind, then colour, like captions.
struct Thing {
  Kind kind = Kind::kCar;
  Colour colour = Colour::kRed;
  auto operator<=>(const Thing&) const = default;
};

// What an object does within a window of pictures.
enum class Motion { kCrosses, kEnters, kLeaves, kMoves, kStays };

struct Clause {
  Thing thing;
  Motion motion = Motion::kStays;
  bool to_right = false;  // meaningless for an object that stays
  bool operator==(const Clause&) const = default;
};

inline constexpr double kMinVisible = 0.30;  // objects of which less is visible do not count
inline constexpr int kMinFrames = 3;         // of a window that must show an object

// Everything visible at time t, in the order of captions.
std::vector<Thing> still_truth(std::span<const Object> objects, double t);

// What happens in the pictures taken at `times` (ascending, the objects' clock), in the order of captions.
std::vector<Clause> window_truth(std::span<const Object> objects, std::span<const double> times);

}  // namespace palisade::world
