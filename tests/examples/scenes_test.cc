#include "examples/world/scenes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "examples/world/truth.h"

using namespace palisade::world;

namespace {

bool ids_are_unique(std::span<const Object> objects) {
  std::set<std::int64_t> ids;
  for (const Object& object : objects) ids.insert(object.id);
  return ids.size() == objects.size();
}

}  // namespace

TEST_CASE("a crowded still has as many objects as asked for, all of them in view") {
  Random random(1);
  for (int count = 1; count <= 8; ++count) {
    const std::vector<Object> objects = crowded_still(random, count);
    CHECK(objects.size() == static_cast<std::size_t>(count));
    CHECK(ids_are_unique(objects));
    CHECK(still_truth(objects, 0).size() == objects.size());
  }
}

TEST_CASE("things of a training pair are often in both pictures") {
  Random random(2);
  int alike = 0;
  constexpr int kPairs = 1000;
  for (int i = 0; i < kPairs; ++i) {
    const StillPair pair = training_pair(random);
    CHECK(pair.left.size() <= 4);
    CHECK(pair.right.size() <= 4);
    const std::vector<Thing> left = still_truth(pair.left, 0);
    alike += std::ranges::any_of(still_truth(pair.right, 0), [&](const Thing& thing) {
      return std::ranges::find(left, thing) != left.end();
    });
  }
  CHECK(alike > kPairs / 4);
}

TEST_CASE("a training window is on the camera's grid and holds only what it could show") {
  Random random(3);
  std::array<int, 5> clauses{};
  constexpr int kWindows = 2000;
  for (int i = 0; i < kWindows; ++i) {
    const StreetWindow window = training_window(random, 16);
    REQUIRE(window.times.size() == 16);
    const double span = window.times.back() - window.times.front();
    CHECK(span > 3.89);
    CHECK(span < 8.11);
    for (std::size_t k = 0; k < window.times.size(); ++k) {
      CHECK(std::abs(window.times[k] * 10 - std::nearbyint(window.times[k] * 10)) < 1e-9);
      if (k > 0) CHECK(window.times[k] > window.times[k - 1]);
    }
    CHECK(ids_are_unique(window.objects));
    for (const Object& object : window.objects) {
      CHECK(object.from() <= window.times.back());
      CHECK(object.until() >= window.times.front());
    }
    ++clauses[std::min<std::size_t>(window_truth(window.objects, window.times).size(), 4)];
  }
  MESSAGE("windows by objects: " << clauses[0] << " " << clauses[1] << " " << clauses[2] << " " << clauses[3]
                                 << " " << clauses[4]);
  for (const int windows : clauses) CHECK(windows > kWindows / 100);
}
