#pragma once

#include <array>
#include <filesystem>
#include <vector>

#include "examples/world/kinds.h"
#include "examples/world/png.h"

namespace palisade::world {

// A kind's picture as compositing needs it, premultiplied, in 0..1: what keeps its colour, what takes the
// object's colour, and the coverage of both: pixel = pixel*(1 - cover) + 255*fixed + tinted*tint.
struct Sprite {
  int width = 0;
  int height = 0;
  std::array<std::vector<float>, 3> fixed;  // each [height, width]
  std::vector<float> tinted;
  std::vector<float> cover;
};

// The pictures of all kinds at four times the camera's scale, facing right. Immutable: safe from any thread.
class Sprites {
 public:
  explicit Sprites(const std::filesystem::path& assets);

  // Area average to the size that an object has on the street; mirrored when it faces left.
  Sprite scaled(Kind kind, int width, int height, bool faces_right) const;

 private:
  std::array<Sprite, kKinds> sprites_;
};

// The street without anybody, RGB of the camera's size. Throws when it can't be read or is of another size.
Pixels read_background(const std::filesystem::path& assets, int number);

// Where the demo world's pictures are: $PALISADE_WORLD_ASSETS, else the folder of the source tree.
std::filesystem::path assets_folder();

}  // namespace palisade::world
