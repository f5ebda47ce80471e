#include "examples/world/truth.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <tuple>

namespace palisade::world {
namespace {

constexpr double kMinMotion =
    0.12 * kWidth;  // pixels between the first and last position; an object that moves less stands

std::optional<Clause> clause_of(const Object& object, std::span<const double> times) {
  int shown = 0;
  std::size_t first = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (visible_fraction(object, times[i]) < kMinVisible) continue;
    if (shown++ == 0) first = i;
    last = i;
  }
  if (shown < std::min<int>(kMinFrames, static_cast<int>(times.size()))) return std::nullopt;

  const bool enters = first > 0;
  const bool leaves = last + 1 < times.size();
  const double x_first = object.x_at(times[first]).value();
  const double x_last = object.x_at(times[last]).value();
  const auto centre = [&](double x) { return x + object.width / 2.0; };
  Clause clause{{object.kind, object.colour}};
  if (enters) {
    clause.motion = leaves ? Motion::kCrosses : Motion::kEnters;
    clause.to_right = centre(x_first) < kWidth / 2.0;
  } else if (leaves) {
    clause.motion = Motion::kLeaves;
    clause.to_right = centre(x_last) > kWidth / 2.0;
  } else if (std::abs(x_last - x_first) >= kMinMotion) {
    clause.motion = Motion::kMoves;
    clause.to_right = x_last > x_first;
  }
  return clause;
}

}  // namespace

std::vector<Thing> still_truth(std::span<const Object> objects, double t) {
  std::vector<Thing> things;
  for (const Object& object : objects) {
    if (visible_fraction(object, t) >= kMinVisible) things.push_back({object.kind, object.colour});
  }
  std::ranges::sort(things);
  return things;
}

std::vector<Clause> window_truth(std::span<const Object> objects, std::span<const double> times) {
  std::vector<Clause> clauses;
  for (const Object& object : objects) {
    if (const std::optional<Clause> clause = clause_of(object, times)) clauses.push_back(*clause);
  }
  std::ranges::stable_sort(clauses, {}, [](const Clause& clause) {
    return std::tuple(clause.motion == Motion::kStays, clause.thing);
  });
  return clauses;
}

}  // namespace palisade::world
