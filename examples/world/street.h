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

// A light, a background and a noise as the demo world mixes them.
Look random_look(Random& random);

Thing random_thing(Random& random, Kinds kinds = kStreetKinds);

// One such object whose bottom edge is at `baseline`; no knots yet.
Object random_object(Random& random, double baseline, Thing thing);

// An endless street: objects come and go in four lanes for as long as one asks. Time is in seconds from any
// zero. Remembers only who is on the street and who left it lately. Owned by one thread.
class Street {
 public:
  // The traffic begins some seconds before `start`, so that the street is not empty then.
  Street(std::uint64_t seed, double start, Kinds kinds = kStreetKinds);

  // Decides everything that begins at or before t. Returns the new objects, in the order of their coming.
  std::vector<Object> advance(double t);
  // Drops what left the street more than kMemory seconds before t.
  void forget(double t);
  // Everything remembered and decided so far, some of it yet to come.
  std::span<const Object> objects() const { return objects_; }

  static constexpr double kApart = 4.0;  // seconds between two of the same kind and colour
  static constexpr double kMemory = 30.0;

 private:
  struct Lane {
    double baseline;
    double free_from;  // when the next object may come
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
