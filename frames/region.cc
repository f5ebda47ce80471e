#include "frames/region.h"

#include <algorithm>
#include <cmath>

namespace palisade {
namespace {

struct Grid {
  int width;
  int height;
  std::vector<std::uint8_t>& pixels;

  void touch(int row, double from, double to) {
    if (row < 0 || row >= height || to < 0 || from >= width) return;
    const int first = std::max(0, int(std::floor(from)));
    const int last = std::min(width - 1, int(std::floor(to)));
    std::fill(pixels.begin() + std::ptrdiff_t(row) * width + first,
              pixels.begin() + std::ptrdiff_t(row) * width + last + 1, std::uint8_t{1});
  }
};

// Fills the inside by the centre line of each pixel row (non-zero winding).
void fill_inside(const Polygon& corners, Grid& grid) {
  struct Crossing {
    double x;
    int turn;
  };
  std::vector<Crossing> crossings;
  for (int row = 0; row < grid.height; ++row) {
    const double y = row + 0.5;
    crossings.clear();
    for (std::size_t i = 0; i < corners.size(); ++i) {
      const Point& p = corners[i];
      const Point& q = corners[(i + 1) % corners.size()];
      if ((p.y <= y) == (q.y <= y)) continue;
      crossings.push_back({p.x + (q.x - p.x) * (y - p.y) / (q.y - p.y), p.y < q.y ? 1 : -1});
    }
    std::ranges::sort(crossings, {}, &Crossing::x);
    int winding = 0;
    for (std::size_t i = 0; i + 1 < crossings.size(); ++i) {
      winding += crossings[i].turn;
      if (winding != 0) grid.touch(row, crossings[i].x, crossings[i + 1].x);
    }
  }
}

// Marks every pixel that an edge crosses, which the centre lines may miss.
void trace_edge(Point p, Point q, Grid& grid) {
  if (p.y > q.y) std::swap(p, q);
  const int first = std::max(0, int(std::floor(p.y)));
  const int last = std::min(grid.height - 1, int(std::floor(q.y)));
  for (int row = first; row <= last; ++row) {
    double from = p.x;
    double to = q.x;
    if (q.y > p.y) {
      const double slope = (q.x - p.x) / (q.y - p.y);
      from = p.x + slope * (std::max<double>(row, p.y) - p.y);
      to = p.x + slope * (std::min<double>(row + 1, q.y) - p.y);
    }
    grid.touch(row, std::min(from, to), std::max(from, to));
  }
}

}  // namespace

Polygon box_polygon(Point upper_left, Point lower_right) {
  return {upper_left, {lower_right.x, upper_left.y}, lower_right, {upper_left.x, lower_right.y}};
}

std::vector<std::uint8_t> touched_pixels(std::span<const Polygon> polygons, int width, int height) {
  std::vector<std::uint8_t> pixels(std::size_t(width) * height);
  Grid grid{width, height, pixels};
  for (const Polygon& polygon : polygons) {
    Polygon corners;
    for (const Point& corner : polygon) corners.push_back({corner.x * width, corner.y * height});
    fill_inside(corners, grid);
    for (std::size_t i = 0; i < corners.size(); ++i) {
      trace_edge(corners[i], corners[(i + 1) % corners.size()], grid);
    }
  }
  return pixels;
}

}  // namespace palisade
