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

// Draws the street directly at the model's size, for training. The result is that of Painter and Pillow's
// bicubic filter (within one of 255 levels on average), about thirty times as fast: because resizing is
// linear, background and sprites can be resized separately and composited afterwards. Not thread-safe.
class ModelPainter {
 public:
  // `sprites` outlives the painter. Throws if a background cannot be read.
  ModelPainter(const Sprites& sprites, std::filesystem::path assets, int size = 64);

  // Begins a scene; within it objects are identified by their id. A degraded scene looks like compressed
  // video: with noise, blocks of 4 x 4 pixels that are slightly too bright or dark, and less colour, equally
  // in all its pictures.
  void begin(const Look& look, bool degraded, Random& random);

  // A picture of the scene at time t, in 8 bits. Call begin() first.
  Image paint(std::span<const Object> objects, double t);

 private:
  // The filter's weights for one output pixel and one axis: weights[i] belongs to the canvas' pixel first +
  // i.
  struct Taps {
    int first;
    std::vector<float> weights;
  };
  // A coloured sprite, resized to the model's rows but not yet to its columns: premultiplied RGB in 0..255
  // and coverage, [rows, width, 4].
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
  std::vector<float> noise_;                                        // standard deviation 1
  std::map<std::pair<int, bool>, std::vector<float>> backgrounds_;  // [size, size, 3]
  // Sprites facing right, by kind, width and height: fixed RGB, tinted share and coverage, [height, width,
  // 5]. All sizes of all kinds together take about 40 MB.
  std::map<std::tuple<Kind, int, int>, std::vector<std::uint8_t>> scaled_;

  // What belongs to the current scene:
  Random random_{0};
  const std::vector<float>* background_ = nullptr;
  std::array<float, 3> gain_{};
  float noise_sigma_ = 0;  // 8-bit levels, at the model's size
  float chroma_ = 1;
  std::vector<float> blocks_;             // 8-bit levels to add, [size, size, 3]; empty unless degraded
  std::map<std::int64_t, Layer> layers_;  // key: id of the object
  std::vector<float> picture_;            // [size, size, 3]
};

}  // namespace palisade::world
