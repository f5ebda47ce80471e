#include <doctest/doctest.h>

#include <chrono>
#include <set>
#include <string>

#include "frames/motion_watch.h"
#include "tests/examples/scripted_street.h"

using namespace palisade;
using namespace palisade::world;

namespace {

constexpr std::uint64_t kSeed = 5;

struct Case {
  std::string name;
  Nuisances nuisances;
};

const std::vector<Case> kNuisances = {
    {"nothing but a camera's own noise", {}},
    {"a cloud that takes 40 % of the light", {.light_ramp = 0.4}},
    {"light that falls by a third at once", {.dim = 12.0}},
    {"10 % flicker", {.flicker = 0.1}},
    {"a shake of 2 pixels", {.shake = 2}},
    {"noise of 8 levels", {.noise_sigma = 8}},
    {"120 streaks of rain a picture", {.rain = 120}},
    {"all of it", {.noise_sigma = 8, .light_ramp = 0.4, .flicker = 0.05, .shake = 2, .rain = 60}},
};

// The tenths of a second in which MotionWatch reports motion, during `seconds`.
std::set<int> tenths_of_motion(ScriptedStreet street, int seconds, std::vector<Polygon> region = {}) {
  MotionWatch watch(std::move(region));
  std::set<int> moving;
  for (int i = 0; i < 10 * seconds; ++i) {
    const FrameStamp stamp{.number = std::uint64_t(i), .pts = std::chrono::milliseconds(100 * i)};
    if (watch.due(stamp)) watch.look(stamp.pts, street.at(i / 10.0));
    if (i > 10 && watch.moved_since(stamp.pts)) moving.insert(i);
  }
  return moving;
}

bool any_between(const std::set<int>& tenths, double from, double until) {
  const auto first = tenths.lower_bound(int(from * 10));
  return first != tenths.end() && *first <= int(until * 10);
}

}  // namespace

TEST_CASE("nothing moves on an empty street, whatever light, wind and rain do") {
  for (const auto& [name, nuisances] : kNuisances) {
    CAPTURE(name);
    CHECK(tenths_of_motion(ScriptedStreet({}, nuisances, kSeed, 8), 30).empty());
  }
}

TEST_CASE("who comes is seen within a second, in any light, wind and rain, and over once gone") {
  const std::vector<Object> script{passer(1, Kind::kPerson, Colour::kBlack, 4, 80),
                                   passer(2, Kind::kCar, Colour::kWhite, 16, 300),
                                   passer(3, Kind::kDog, Colour::kGreen, 23, 150)};
  for (const auto& [name, nuisances] : kNuisances) {
    CAPTURE(name);
    const std::set<int> moving = tenths_of_motion(ScriptedStreet(script, nuisances, kSeed), 30);
    for (const Object& object : script) {
      CAPTURE(object.id);
      CHECK(any_between(moving, object.from(), object.from() + 1));
    }
    // Between the person and the car.
    CHECK_FALSE(any_between(moving, script[0].until() + 2, script[1].from() - 0.1));
  }
}

TEST_CASE("what stops is part of the street after a while, and seen again when it goes") {
  const Object object = passer(1, Kind::kPerson, Colour::kRed, 3, 150, 60);
  const std::set<int> moving = tenths_of_motion(ScriptedStreet({object}, {}, kSeed), 75);
  CHECK(any_between(moving, 3, 4));
  CHECK_FALSE(any_between(moving, object.knots[1].t + 50, object.knots[2].t - 0.1));
  CHECK(any_between(moving, object.knots[2].t, object.knots[2].t + 1));
}

TEST_CASE("the motion gate looks at its regions alone") {
  const std::vector<Object> script{passer(1, Kind::kCar, Colour::kBlue, 4, 200)};
  const Nuisances none;
  CHECK(tenths_of_motion(ScriptedStreet(script, none, kSeed), 12, {box_polygon({0, 0}, {1, 0.3})}).empty());
  const auto right =
      tenths_of_motion(ScriptedStreet(script, none, kSeed), 12, {box_polygon({0.8, 0}, {1, 1})});
  CHECK_FALSE(right.empty());
  CHECK(right.size() < 40);
}
