#pragma once

#include <functional>
#include <string>
#include <vector>

#include "examples/world/draw.h"
#include "examples/world/questions.h"
#include "examples/world/sprite.h"
#include "frames/image.h"

namespace palisade::world {

// One clip of the exam and what is asked of it.
struct ExamClip {
  std::string task;           // "still", "pair", "window" or "rolling"
  std::vector<Image> images;  // 640 x 360, with the camera's noise
  std::vector<Question> questions;
  int objects = 0;  // that the caption names
};

// Draws scenes that training never had (their seeds are apart) at the camera's size, as a camera would show
// them, and asks everything that the demo model knows. One thread's.
class ExamScenes {
 public:
  ExamScenes() : sprites_(assets_folder()) {}

  ExamClip still(std::uint64_t seed);
  ExamClip pair(std::uint64_t seed);
  // A window of its own.
  ExamClip window(std::uint64_t seed);
  // Windows of 4 s cut every 2 s from 22 s of a street, with all that happens in them.
  std::vector<ExamClip> rolling(std::uint64_t seed);

 private:
  std::vector<Image> pictures(const Look& look, std::span<const Object> objects,
                              std::span<const double> times, std::uint64_t seed) const;

  Sprites sprites_;
  Questions questions_;  // balanced over the whole exam
};

}  // namespace palisade::world
