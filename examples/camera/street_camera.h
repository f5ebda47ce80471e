#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <string>

#include "examples/world/draw.h"
#include "examples/world/street.h"
#include "examples/world/truth_file.h"

namespace palisade::world {

// The properties of one simulated camera.
struct CameraSettings {
  std::string name;        // name of the stream: "street0"
  std::uint64_t seed = 0;  // seed of the traffic
  Look look;
  double start = 0;  // wall time of the street's time 0, seconds since 1970
};

// A camera that looks at an endless street. Its pictures depend on the wall time that is asked for, and not
// on what was drawn before. Thread-safe.
class StreetCamera {
 public:
  // `sprites` and `truth` outlive the camera. `truth` may be null: then no truth file is written.
  StreetCamera(CameraSettings settings, const Sprites& sprites, TruthWriter* truth);

  const std::string& name() const { return settings_.name; }
  // A picture of the street at that wall time.
  void draw(double wall, std::span<std::uint8_t> frame);
  // Writes the objects of the next seconds to the truth file, before they can be seen.
  void foresee(double wall);

 private:
  void advance(double wall);

  const CameraSettings settings_;
  TruthWriter* const truth_;
  std::mutex mutex_;
  Street street_;    // guarded by mutex_
  Painter painter_;  // guarded by mutex_
};

// The wall clock in seconds since 1970.
double wall_now();

}  // namespace palisade::world
