#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace palisade {

// A point in 0..1 of the picture's width and height, from the upper left corner.
struct Point {
  double x = 0;
  double y = 0;
  bool operator==(const Point&) const = default;
};

// At least three corners; the last is joined to the first. Where edges cross, everything enclosed is inside.
using Polygon = std::vector<Point>;

Polygon box_polygon(Point upper_left, Point lower_right);

// 1 for every pixel that a polygon touches, else 0. [height, width]
std::vector<std::uint8_t> touched_pixels(std::span<const Polygon> polygons, int width, int height);

}  // namespace palisade
