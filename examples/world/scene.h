#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "examples/world/kinds.h"

namespace palisade::world {

inline constexpr int kWidth = 640;   // of the camera's picture, pixels
inline constexpr int kHeight = 360;  // of the camera's picture, pixels

// At time t (seconds, in the scene's own or in wall time) the left edge is at x; straight between two knots.
struct Knot {
  double t = 0;
  double x = 0;
};

// One thing on the street, for its whole life. It is there from its first to its last knot.
struct Object {
  std::int64_t id = 0;
  Kind kind = Kind::kCar;
  Colour colour = Colour::kRed;
  std::array<double, 3> tint{};  // RGB in 0..255: the colour's paint as this one has it
  double scale = 1;
  double baseline = 0;  // y of the bottom edge, camera pixels
  bool faces_right = true;
  int width = 0;  // camera pixels
  int height = 0;
  std::vector<Knot> knots;

  std::optional<double> x_at(double t) const;
  double from() const { return knots.front().t; }
  double until() const { return knots.back().t; }
};

// What the whole picture has in common: the background and the light, constant while a scene lasts.
struct Look {
  int background = 0;
  bool mirrored = false;
  std::string light = "day";
  std::array<double, 3> gain{1, 1, 1};
  double noise_sigma = 0;  // levels
};

// The part of the box's width that is inside the picture; zero for an object that is not there.
double visible_fraction(const Object& object, double t);

// Those that are there at t in the order in which they are drawn; they point into `objects`.
std::vector<const Object*> far_to_near(std::span<const Object> objects, double t);

// An object's box as drawn, clipped to the picture, in camera pixels.
struct Box {
  int y0 = 0, x0 = 0, y1 = 0, x1 = 0;
  bool operator==(const Box&) const = default;
};
// Of an object that is there at t.
Box box_at(const Object& object, double t);

}  // namespace palisade::world
