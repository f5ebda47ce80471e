#include "examples/demo_model/exam_scenes.h"

#include <cmath>

#include "base/random.h"
#include "examples/world/scenes.h"
#include "examples/world/still.h"
#include "examples/world/street.h"

namespace palisade::world {
namespace {

constexpr std::uint64_t kExam = 0xE8A3;  // no seed of training has these bits
constexpr int kStillQuestions = 6, kPairQuestions = 5, kWindowQuestions = 8;
constexpr double kScene = 22, kSpan = 4,
                 kStride = 2;  // seconds: of the scene, of a rolling window, between two of them
constexpr int kFrames = 16;

Random random_of(std::uint64_t task, std::uint64_t seed) {
  return Random(split_mix(split_mix(kExam + task) + seed));
}

int named_in(std::span<const Object> objects, std::span<const double> times) {
  return int(times.size() == 1 ? still_truth(objects, times[0]).size() : window_truth(objects, times).size());
}

}  // namespace

std::vector<Image> ExamScenes::pictures(const Look& look, std::span<const Object> objects,
                                        std::span<const double> times, std::uint64_t seed) const {
  Painter painter(sprites_, assets_folder(), look, seed);
  std::vector<std::uint8_t> drawn(kFrameBytes);
  std::vector<Image> images;
  for (const double t : times) {
    painter.paint(objects, t, drawn);
    std::vector<std::uint8_t> rgb(std::size_t(kWidth) * kHeight * 3);
    for (std::size_t pixel = 0; pixel < rgb.size() / 3; ++pixel) {
      for (std::size_t c = 0; c < 3; ++c) rgb[pixel * 3 + c] = drawn[pixel * 4 + 2 - c];
    }
    images.emplace_back(kWidth, kHeight, std::move(rgb));
  }
  return images;
}

ExamClip ExamScenes::still(std::uint64_t seed) {
  constexpr double kNow[] = {0};
  Random random = random_of(1, seed);
  const auto objects = random_still(random);
  const Look look = random_look(random);
  return {"still", pictures(look, objects, kNow, random.bits()),
          questions_.of_still(objects, kStillQuestions, random), named_in(objects, kNow)};
}

ExamClip ExamScenes::pair(std::uint64_t seed) {
  constexpr double kNow[] = {0};
  Random random = random_of(2, seed);
  const StillPair pair = training_pair(random);
  ExamClip clip{"pair", pictures(pair.look, pair.left, kNow, random.bits()),
                questions_.of_pair(pair.left, pair.right, kPairQuestions, random),
                named_in(pair.left, kNow) + named_in(pair.right, kNow)};
  clip.images.push_back(pictures(pair.look, pair.right, kNow, random.bits()).front());
  return clip;
}

ExamClip ExamScenes::window(std::uint64_t seed) {
  Random random = random_of(3, seed);
  const StreetWindow window = training_window(random, kFrames);
  return {"window", pictures(window.look, window.objects, window.times, random.bits()),
          questions_.of_window(window.objects, window.times, kWindowQuestions, random),
          named_in(window.objects, window.times)};
}

std::vector<ExamClip> ExamScenes::rolling(std::uint64_t seed) {
  Random random = random_of(4, seed);
  const Look look = random_look(random);
  Street street(random.bits(), 0);
  street.advance(10 + kScene + kSpan);
  std::vector<ExamClip> clips;
  for (double begin = 10; begin + kSpan <= 10 + kScene; begin += kStride) {
    std::vector<double> times;
    for (int i = 0; i < kFrames; ++i)
      times.push_back(std::round((begin + kSpan * i / (kFrames - 1)) * kFramesPerSecond) / kFramesPerSecond);
    clips.push_back({"rolling", pictures(look, street.objects(), times, random.bits()),
                     questions_.of_window(street.objects(), times, kWindowQuestions, random),
                     named_in(street.objects(), times)});
  }
  return clips;
}

}  // namespace palisade::world
