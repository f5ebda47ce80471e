#pragma once

#include <array>
#include <filesystem>
#include <vector>

#include "examples/world/kinds.h"
#include "examples/world/png.h"

namespace palisade::world {

// The picture of a kind for compositing, premultiplied, in 0..1: the part with its own colour, the part that
// takes the object's colour, and the coverage of both. pixel = pixel * (1 - cover) + 255 * fixed + tinted *
// tint.
struct Sprite {
  int width = 0;
  int height = 0;
  std::array<std::vector<float>, 3> fixed;  // each [height, width]
  std::vector<float> tinted;
  std::vector<float> cover;
};

// The pictures of all kinds at four times the camera's scale, facing right. Immutable, so thread-safe.
class Sprites {
 public:
  explicit Sprites(const std::filesystem::path& assets);

  // Resizes by area averaging to an object's size on the street; mirrors it if the object faces left.
  Sprite scaled(Kind kind, int width, int height, bool faces_right) const;

 private:
  std::array<Sprite, kKinds> sprites_;
};

// The empty street, RGB in the camera's size. Throws if it cannot be read or has another size.
Pixels read_background(const std::filesystem::path& assets, int number);

// The folder of the demo world's pictures: $PALISADE_WORLD_ASSETS, or the one in the source tree.
std::filesystem::path assets_folder();

}  // namespace palisade::world
