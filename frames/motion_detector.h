#pragma once

#include <cstdint>
#include <vector>

#include "frames/grey.h"
#include "frames/image.h"
#include "frames/region.h"

namespace palisade {

// Finds what moves in front of a background that it learns: the sigma-delta estimation of Manzanera and
// Richefeu ("A new motion detection algorithm based on sigma-delta background estimation", Pattern
// Recognition Letters 28, 2007) on a small grey picture, told of light that changes everywhere at once and of
// a camera that shakes. Pure; wants pictures at a steady rate of about ten a second.
class MotionDetector {
 public:
  static constexpr int kWidth = 160;
  static constexpr int kHeight = 90;

  // `region` is where it looks; empty: everywhere.
  explicit MotionDetector(std::vector<Polygon> region = {}) : region_(std::move(region)) {}

  // Number of pixels of the small picture that belong to moving things; 0 for the first picture.
  int look(const Image& picture);
  // Number of pixels in the region.
  int looked_at() const { return looked_at_; }
  // Forgets the background.
  void reset() { background_ = {}; }

 private:
  struct Light {
    float gain = 1;
    float offset = 0;
  };
  void begin(Grey picture);
  Light light_of(const Grey& picture) const;
  void compare(const Grey& picture, Light light);
  void learn(const Grey& picture, Light light);
  int count_moving() const;

  std::vector<Polygon> region_;
  std::vector<std::uint8_t> looks_at_;
  int looked_at_ = 0;
  // All [height, width].
  Grey background_;               // as the light of its first picture shows it
  std::vector<float> tolerance_;  // a multiple of each pixel's usual difference from its background
  std::vector<float> expected_;   // the background in the light of the picture in hand
  std::vector<float> difference_;
  std::vector<std::uint8_t> moving_;
  std::uint64_t looks_ = 0;
};

}  // namespace palisade
