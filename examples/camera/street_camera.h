#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <string>

#include "examples/world/draw.h"
#include "examples/world/street.h"
#include "examples/world/truth_file.h"

namespace palisade::world {

// What makes one simulated camera differ from another.
struct CameraSettings {
  std::string name;        // of the stream: "street0"
  std::uint64_t seed = 0;  // of its traffic
  Look look;
  double start = 0;  // wall time of the scene's zero, seconds since 1970
};

// A camera that looks at an endless street. Its time is the wall clock: whoever draws says when, and what is
// seen then does not depend on what was drawn before. Safe from any thread.
class StreetCamera {
 public:
  // `sprites` and `truth` outlive the camera; without `truth` no account is kept.
  StreetCamera(CameraSettings settings, const Sprites& sprites, TruthWriter* truth);

  const std::string& name() const { return settings_.name; }
  // The street as it is at that wall time.
  void draw(double wall, std::span<std::uint8_t> frame);
  // Writes down what will come, some seconds before it can be seen.
  void foresee(double wall);

 private:
  void advance(double wall);

  const CameraSettings settings_;
  TruthWriter* const truth_;
  std::mutex mutex_;
  Street street_;    // guarded by mutex_
  Painter painter_;  // guarded by mutex_
};

// Seconds since 1970 by the wall clock.
double wall_now();

}  // namespace palisade::world
