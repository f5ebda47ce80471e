#pragma once

#include <compare>
#include <span>
#include <vector>

#include "examples/world/scene.h"

namespace palisade::world {

// What can be told of an object without its motion. Ordered as captions are: by kind, then colour.
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
  bool to_right = false;  // meaningless for what stays
  bool operator==(const Clause&) const = default;
};

inline constexpr double kMinVisible = 0.30;  // objects seen less do not count anywhere
inline constexpr int kMinFrames = 3;         // that must show an object of a window

// Everything visible at time t, in the order of captions.
std::vector<Thing> still_truth(std::span<const Object> objects, double t);

// What happens in the pictures taken at `times` (ascending, the objects' clock), in the order of captions.
std::vector<Clause> window_truth(std::span<const Object> objects, std::span<const double> times);

}  // namespace palisade::world
