#include "tasks/metrics/mask_polygons.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "base/format.h"

namespace palisade {
namespace {

constexpr double kScale = 5;       // outlines are followed in fifths of a pixel
constexpr double kMostAway = 1e5;  // pixels
constexpr std::size_t kMostPoints = 100'000;

struct OutlinePoint {
  int x = 0;
  int y = 0;
};

// Adds every step from one point to another, both included, in their order.
void add_line(OutlinePoint from, OutlinePoint to, std::vector<OutlinePoint>& outline) {
  const int across = std::abs(to.x - from.x), down = std::abs(to.y - from.y);
  const bool flat = across >= down;
  const bool backwards = flat ? from.x > to.x : from.y > to.y;
  if (backwards) std::swap(from, to);
  const int steps = flat ? across : down;
  const double slope = flat ? double(to.y - from.y) / across : double(to.x - from.x) / down;
  for (int i = 0; i <= steps; ++i) {
    const int t = backwards ? steps - i : i;
    // A line of no length has a slope that is no number, of which nothing is taken.
    const double other = steps == 0 ? 0 : slope * t;
    outline.push_back(flat ? OutlinePoint{from.x + t, int(from.y + other + 0.5)}
                           : OutlinePoint{int(from.x + other + 0.5), from.y + t});
  }
}

std::vector<OutlinePoint> outline_of(const std::vector<double>& polygon) {
  std::vector<OutlinePoint> corners;
  for (std::size_t i = 0; i + 1 < polygon.size(); i += 2)
    corners.push_back({int(kScale * polygon[i] + 0.5), int(kScale * polygon[i + 1] + 0.5)});
  corners.push_back(corners.front());
  std::vector<OutlinePoint> outline;
  for (std::size_t i = 0; i + 1 < corners.size(); ++i) add_line(corners[i], corners[i + 1], outline);
  return outline;
}

// Where columns change from outside to inside or back, counted down the columns (maskApi.c, rleFrPoly).
std::vector<std::int64_t> changes_of(const std::vector<double>& polygon, int height, int width) {
  const std::vector<OutlinePoint> outline = outline_of(polygon);
  std::vector<std::int64_t> changes;
  for (std::size_t i = 1; i < outline.size(); ++i) {
    const OutlinePoint& here = outline[i];
    const OutlinePoint& before = outline[i - 1];
    if (here.x == before.x) continue;
    const double column = (double(here.x < before.x ? here.x : here.x - 1) + 0.5) / kScale - 0.5;
    if (std::floor(column) != column || column < 0 || column > width - 1) continue;
    const double row = (double(std::min(here.y, before.y)) + 0.5) / kScale - 0.5;
    changes.push_back(std::int64_t(column) * height + std::int64_t(std::ceil(std::clamp(row, 0.0, double(height)))));
  }
  std::ranges::sort(changes);
  return changes;
}

void check(const std::vector<double>& polygon) {
  if (polygon.size() % 2 != 0 || polygon.size() < 6)
    throw Error("a polygon of a mask has fewer than three points, or half a point");
  if (polygon.size() > 2 * kMostPoints) throw Error(format("a polygon of more than {} points", kMostPoints));
  double length = 0;
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    if (!(std::abs(polygon[i]) <= kMostAway)) throw Error("a polygon of a mask has a point far outside of any picture");
    length += i < 2 ? 0 : std::abs(polygon[i] - polygon[i - 2]);
  }
  if (length > kMostAway * 10) throw Error("a polygon of a mask goes across the picture too often");
}

}  // namespace

MaskRuns mask_of_polygons(std::span<const std::vector<double>> polygons, int height, int width) {
  const auto pixels = std::int64_t(height) * width;
  require_mask_size(height, width);
  std::vector<std::uint8_t> inside(static_cast<std::size_t>(pixels));  // down the columns
  for (const std::vector<double>& polygon : polygons) {
    check(polygon);
    std::vector<std::int64_t> changes = changes_of(polygon, height, width);
    changes.push_back(pixels);
    bool in = false;
    std::int64_t at = 0;
    for (const std::int64_t change : changes) {
      if (in) std::fill(inside.begin() + at, inside.begin() + change, std::uint8_t(1));
      at = change;
      in = !in;
    }
  }
  MaskRuns mask{.height = height, .width = width, .runs = {0}};
  std::uint8_t value = 0;
  for (const std::uint8_t pixel : inside) {
    if (pixel != value) mask.runs.push_back(0);
    value = pixel;
    ++mask.runs.back();
  }
  return mask;
}

}  // namespace palisade
