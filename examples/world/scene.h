#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "examples/world/kinds.h"

namespace palisade::world {

inline constexpr int kWidth = 640;   // pixels of the camera's picture
inline constexpr int kHeight = 360;  // pixels of the camera's picture

// At time t (seconds, of the scene or wall time) the left edge is at x; linear between two knots.
struct Knot {
  double t = 0;
  double x = 0;
};

// One object on the street, from its first to its last knot.
struct Object {
  std::int64_t id = 0;
  Kind kind = Kind::kCar;
  Colour colour = Colour::kRed;
  std::array<double, 3> tint{};  // RGB in 0..255: this object's shade of its colour
  double scale = 1;
  double baseline = 0;  // y of the bottom edge, in camera pixels
  bool faces_right = true;
  int width = 0;  // camera pixels
  int height = 0;
  std::vector<Knot> knots;

  std::optional<double> x_at(double t) const;
  double from() const { return knots.front().t; }
  double until() const { return knots.back().t; }
};

// Background, light and noise of a scene, which are constant while it lasts.
struct Look {
  int background = 0;
  bool mirrored = false;
  std::string light = "day";
  std::array<double, 3> gain{1, 1, 1};
  double noise_sigma = 0;  // 8-bit levels
};

// The share of the box's width that is inside the picture; 0 for an object that is not there.
double visible_fraction(const Object& object, double t);

// Pointers to the objects that are there at t, in the order in which they are drawn.
std::vector<const Object*> far_to_near(std::span<const Object> objects, double t);

// An object's box as drawn, clipped to the picture, in camera pixels.
struct Box {
  int y0 = 0, x0 = 0, y1 = 0, x1 = 0;
  bool operator==(const Box&) const = default;
};
// For an object that is there at t.
Box box_at(const Object& object, double t);

}  // namespace palisade::world
