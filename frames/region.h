#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace palisade {

// In 0..1 of the picture's width and height, from its upper left corner.
struct Point {
  double x = 0;
  double y = 0;
  bool operator==(const Point&) const = default;
};

// Three corners or more, closed by itself. Where its edges cross, all that it encloses is inside.
using Polygon = std::vector<Point>;

Polygon box_polygon(Point upper_left, Point lower_right);

// 1 for every pixel that a polygon touches, however little of it, 0 for the others. [height, width]
std::vector<std::uint8_t> touched_pixels(std::span<const Polygon> polygons, int width, int height);

}  // namespace palisade
