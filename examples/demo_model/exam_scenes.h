#pragma once

#include <functional>
#include <string>
#include <vector>

#include "examples/world/draw.h"
#include "examples/world/questions.h"
#include "examples/world/sprite.h"
#include "frames/image.h"

namespace palisade::world {

// One clip of the exam and the questions about it.
struct ExamClip {
  std::string task;           // "still", "pair", "window" or "rolling"
  std::vector<Image> images;  // 640 x 360, with the camera's noise
  std::vector<Question> questions;
  int objects = 0;  // objects that the caption names
};

// Draws the exam's scenes at the camera's size, with seeds that training does not use, and makes questions of
// all forms that the demo model knows. Not thread-safe.
class ExamScenes {
 public:
  ExamScenes() : sprites_(assets_folder()) {}

  ExamClip still(std::uint64_t seed);
  ExamClip pair(std::uint64_t seed);
  // A window of a street that no other window shows.
  ExamClip window(std::uint64_t seed);
  // 22 s of a street as windows of 4 s, one every 2 s.
  std::vector<ExamClip> rolling(std::uint64_t seed);

 private:
  std::vector<Image> pictures(const Look& look, std::span<const Object> objects,
                              std::span<const double> times, std::uint64_t seed) const;

  Sprites sprites_;
  Questions questions_;  // balanced over the whole exam
};

}  // namespace palisade::world
