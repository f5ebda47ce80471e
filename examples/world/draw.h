#pragma once

#include <cairo.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "examples/world/random.h"
#include "examples/world/scene.h"
#include "examples/world/sprite.h"

namespace palisade::world {

struct SurfaceDeleter {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};
using Surface = std::unique_ptr<cairo_surface_t, SurfaceDeleter>;

inline constexpr std::size_t kFrameBytes = std::size_t{kWidth} * kHeight * 4;  // BGRx

// Draws the pictures of one camera with Cairo. Caches the scaled and coloured sprite of every object on the
// street, so that a picture takes about a millisecond. Not thread-safe.
class Painter {
 public:
  // `sprites` outlives the painter; `seed` is that of the camera noise. Throws if the background cannot be
  // read.
  Painter(const Sprites& sprites, const std::filesystem::path& assets, Look look, std::uint64_t seed);

  // The street at time t with the look's noise, [kHeight, kWidth, 4] as B, G, R, unused.
  void paint(std::span<const Object> objects, double t, std::span<std::uint8_t> frame);

 private:
  cairo_surface_t* sprite_of(const Object& object);
  void forget_departed(std::span<const Object> objects);
  void expose(std::span<std::uint8_t> frame);

  const Sprites& sprites_;
  const Look look_;
  Random random_;
  Surface background_;
  Surface canvas_;
  std::map<std::int64_t, Surface> drawn_;  // key: id of the object
  std::vector<float> noise_;               // in 8-bit levels; empty if the look has no noise
};

}  // namespace palisade::world
