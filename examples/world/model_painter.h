#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <tuple>
#include <vector>

#include "examples/world/random.h"
#include "examples/world/scene.h"
#include "examples/world/sprite.h"
#include "frames/image.h"

namespace palisade::world {

// Draws the street straight at the model's size, for training: as Painter and then Pillow's bicubic filter
// would, to a level of 255 in the mean, but some thirty times as fast. Resizing is linear, so background and
// sprites are resized each by itself and laid upon each other after it. Used by one thread.
class ModelPainter {
 public:
  // `sprites` outlives the painter. Throws when a background can't be read.
  ModelPainter(const Sprites& sprites, std::filesystem::path assets, int size = 64);

  // Another scene: objects are told apart by their id until the next one. A degraded scene has what a
  // camera's compression leaves: noise, blocks of 4 x 4 pixels a little off, less colour; by as much in all
  // its pictures.
  void begin(const Look& look, bool degraded, Random& random);

  // The scene at time t, 8 bits. Needs a begin.
  Image paint(std::span<const Object> objects, double t);

 private:
  // One axis of the filter: weights[i] is of the canvas' pixel first + i.
  struct Taps {
    int first;
    std::vector<float> weights;
  };
  // A coloured sprite that is shortened to the model's rows but has the canvas' columns: premultiplied RGB in
  // 0..255 and cover, [rows, width, 4].
  struct Layer {
    int width;
    int first_row;
    int rows;
    std::vector<float> samples;
  };
  static std::vector<Taps> taps_of(int canvas, int size);
  const std::vector<float>& background(int number, bool mirrored);
  const std::vector<std::uint8_t>& sprite(const Object& object);
  std::vector<float> coloured(const Object& object);
  const Layer& layer_of(const Object& object);
  void lay(const Object& object, double t);
  Image expose();

  const Sprites& sprites_;
  const std::filesystem::path assets_;
  const int size_;
  const std::vector<Taps> columns_;
  const std::vector<Taps> rows_;
  std::vector<float> noise_;                                        // deviation 1
  std::map<std::pair<int, bool>, std::vector<float>> backgrounds_;  // [size, size, 3]
  // By kind, width and height, facing right: fixed RGB, tinted, cover, [height, width, 5]. All sizes of all
  // kinds are some 40 MB.
  std::map<std::tuple<Kind, int, int>, std::vector<std::uint8_t>> scaled_;

  // Of the scene.
  Random random_{0};
  const std::vector<float>* background_ = nullptr;
  std::array<float, 3> gain_{};
  float noise_sigma_ = 0;  // levels, at the model's size
  float chroma_ = 1;
  std::vector<float> blocks_;             // levels to add, [size, size, 3]; empty unless degraded
  std::map<std::int64_t, Layer> layers_;  // by object
  std::vector<float> picture_;            // [size, size, 3]
};

}  // namespace palisade::world
