#include "examples/world/scene.h"

#include <algorithm>
#include <cmath>

namespace palisade::world {

std::optional<double> Object::x_at(double t) const {
  if (knots.empty() || t < from() || t > until()) return std::nullopt;
  const auto next = std::find_if(knots.begin(), knots.end(), [&](const Knot& knot) { return knot.t >= t; });
  if (next->t == t || next == knots.begin()) return next->x;
  const Knot& last = *std::prev(next);
  return last.x + (next->x - last.x) * (t - last.t) / (next->t - last.t);
}

double visible_fraction(const Object& object, double t) {
  const std::optional<double> x = object.x_at(t);
  if (!x) return 0;
  const double inside = std::min<double>(kWidth, *x + object.width) - std::max(0.0, *x);
  return std::max(0.0, inside) / object.width;
}

std::vector<const Object*> far_to_near(std::span<const Object> objects, double t) {
  std::vector<const Object*> ordered;
  for (const Object& object : objects) {
    if (object.x_at(t)) ordered.push_back(&object);
  }
  std::ranges::stable_sort(ordered, {}, [](const Object* object) { return object->baseline; });
  return ordered;
}

Box box_at(const Object& object, double t) {
  // std::nearbyint rounds halves to even, like Python's round() in the world's description.
  const int left = static_cast<int>(std::nearbyint(object.x_at(t).value()));
  const int bottom = static_cast<int>(std::nearbyint(object.baseline));
  return {std::clamp(bottom - object.height, 0, kHeight), std::clamp(left, 0, kWidth),
          std::clamp(bottom, 0, kHeight), std::clamp(left + object.width, 0, kWidth)};
}

}  // namespace palisade::world
