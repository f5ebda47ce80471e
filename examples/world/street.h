#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "examples/world/random.h"
#include "examples/world/scene.h"
#include "examples/world/truth.h"

namespace palisade::world {

// Draws background, light and noise with the demo world's distribution.
Look random_look(Random& random);

Thing random_thing(Random& random, Kinds kinds = kStreetKinds);

// Draws an object whose bottom edge is at `baseline`. It has no knots yet.
Object random_object(Random& random, double baseline, Thing thing);

// An endless street on which objects come and go in four lanes. Time is in seconds from any origin. Remembers
// only the objects on the street and those that left it lately. Not thread-safe.
class Street {
 public:
  // The traffic begins some seconds before `start`, so that the street is not empty at the start.
  Street(std::uint64_t seed, double start, Kinds kinds = kStreetKinds);

  // Generates all objects that appear at or before t. Returns the new ones in the order of their appearance.
  std::vector<Object> advance(double t);
  // Forgets objects that left the street more than kMemory seconds before t.
  void forget(double t);
  // All objects that are not forgotten, including those that have yet to appear.
  std::span<const Object> objects() const { return objects_; }

  static constexpr double kApart = 4.0;  // seconds between two objects of the same kind and colour
  static constexpr double kMemory = 30.0;

 private:
  struct Lane {
    double baseline;
    double free_from;  // when the next object may appear
  };
  void give_way(Lane& lane);
  std::size_t still_there(double t) const;
  bool resembles_another(const Object& object) const;
  void set_course(Object& object, double t);

  Random random_;
  std::vector<Kind> kinds_;
  std::array<Lane, 4> lanes_;
  std::vector<Object> objects_;
  std::int64_t next_id_ = 0;
};

}  // namespace palisade::world
