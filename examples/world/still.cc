#include "examples/world/still.h"

#include <algorithm>
#include <cmath>

#include "examples/world/street.h"

namespace palisade::world {
namespace {

constexpr int kStillAttempts = 40;
constexpr int kPatience = 30;  // attempts after which objects may stand closer together

double random_x(Random& random, int width) {
  if (!random.chance(0.18)) return random.between(0, kWidth - width);
  const double inside = random.between(0.32, 1.0) * width;
  return random.chance(0.5) ? inside - width : kWidth - inside;
}

// The area that two boxes share, relative to the smaller one.
double overlap(const Object& a, const Object& b) {
  const Box p = box_at(a, 0);
  const Box q = box_at(b, 0);
  const auto area = [](const Box& box) { return double(box.x1 - box.x0) * (box.y1 - box.y0); };
  const int width = std::min(p.x1, q.x1) - std::max(p.x0, q.x0);
  const int height = std::min(p.y1, q.y1) - std::max(p.y0, q.y0);
  if (width <= 0 || height <= 0) return 0;
  return double(width) * height / std::min(area(p), area(q));
}

}  // namespace

int random_count(Random& random) {
  constexpr double kAtMost[]{0.05, 0.28, 0.59,
                             0.89};  // cumulative shares of pictures with 0, 1, 2 and 3 objects
  return static_cast<int>(std::upper_bound(std::begin(kAtMost), std::end(kAtMost), random.unit()) -
                          std::begin(kAtMost));
}

std::vector<Object> placed_still(Random& random, int count, const NextThing& next) {
  std::vector<Object> objects;
  for (int id = 0; id < count; ++id) {
    Object object;
    for (int attempt = 0; attempt < kStillAttempts; ++attempt) {
      const double baseline = random.between(184, 356);
      object = random_object(random, baseline, next(objects));
      object.id = id;
      object.knots = {{0, random_x(random, object.width)}};
      const double allowed = attempt < kPatience ? 0.12 : 0.35;
      if (std::ranges::all_of(objects, [&](const Object& o) { return overlap(o, object) <= allowed; })) break;
    }
    objects.push_back(std::move(object));
  }
  return objects;
}

std::vector<Object> random_still(Random& random) {
  const int count = random_count(random);
  return placed_still(random, count, [&](std::span<const Object>) { return random_thing(random); });
}

}  // namespace palisade::world
