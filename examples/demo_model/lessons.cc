#include "examples/demo_model/lessons.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/random.h"
#include "examples/demo_model/patch_labels.h"
#include "examples/world/caption.h"
#include "examples/world/scenes.h"
#include "examples/world/street.h"

namespace palisade::world {
namespace {

constexpr int kCrowdedPictures = 64, kCaptionedPictures = 32;  // in a batch of stage 0
constexpr int kMaxInCrowd = 8;
constexpr double kDegraded = 1.0 / 3;  // share of scenes that are degraded

std::uint64_t seed_of(std::uint64_t seed, std::uint64_t stage, int step) {
  return split_mix(split_mix(seed + stage) + std::uint64_t(step));
}

// The mixture of lessons from this point of the course on.
struct Chapter {
  double from;
  struct Share {
    double share;
    LessonKind kind;
  };
  std::array<Share, 5> shares;
};

constexpr LessonKind kStill{1, 24, 7}, kPair{2, 14, 6};
constexpr LessonKind window(int frames) {
  return {frames, frames == 16 ? 8 : frames == 8 ? 10 : 14, 7};
}
constexpr std::array<Chapter, 4> kCourse{{
    {0.00, {{{1.0, kStill}}}},
    {0.06, {{{0.5, kStill}, {0.35, kPair}, {0.15, window(4)}}}},
    {0.14, {{{0.3, kStill}, {0.2, kPair}, {0.15, window(4)}, {0.15, window(8)}, {0.2, window(16)}}}},
    {0.26, {{{0.2, kStill}, {0.14, kPair}, {0.03, window(4)}, {0.05, window(8)}, {0.58, window(16)}}}},
}};
constexpr std::array<Chapter, 1> kReview{
    {{0.00, {{{0.35, kStill}, {0.35, kPair}, {0.02, window(4)}, {0.03, window(8)}, {0.25, window(16)}}}}}};
constexpr std::array<Chapter, 1> kTogether{
    {{0.00, {{{0.36, kStill}, {0.28, kPair}, {0.02, window(4)}, {0.02, window(8)}, {0.32, window(16)}}}}}};

std::span<const Chapter> chapters_of(Part part) {
  if (part == Part::kCourse) return kCourse;
  return part == Part::kReview ? kReview : kTogether;
}

LessonKind kind_at(Part part, double progress, Random& random) {
  const std::span<const Chapter> chapters = chapters_of(part);
  const Chapter* chapter = &chapters.front();
  for (const Chapter& later : chapters) {
    if (later.from <= progress) chapter = &later;
  }
  double place = random.unit();
  LessonKind kind = chapter->shares.front().kind;
  for (const Chapter::Share& share : chapter->shares) {
    if (share.share <= 0) break;
    kind = share.kind;
    if ((place -= share.share) < 0) break;
  }
  // Towards the end mostly unpacked, as the model will be used: pictures attend to the prompt.
  kind.packed = random.chance(part == Part::kCourse && progress < 0.8 ? 0.85 : 0.3);
  if (!kind.packed) kind.questions = std::max(2, kind.questions / (kind.pictures > 2 ? 3 : 2));
  return kind;
}

}  // namespace

Lessons::Lessons(const ModelConfig& config, const Preprocessor& preprocessor, const Tokenizer& tokenizer,
                 std::uint64_t seed)
    : config_(config),
      preprocessor_(preprocessor),
      tokenizer_(tokenizer),
      seed_(seed),
      sprites_(assets_folder()),
      painter_(sprites_, assets_folder(), config.vision.image_size) {}

Matrix Lessons::painted(std::span<const Object> objects, double t) {
  return preprocessor_.pixel_values(painter_.paint(objects, t));
}

ImageStageBatch Lessons::image_lesson(int step) {
  Random random(seed_of(seed_, 0, step));
  ImageStageBatch batch;
  for (int i = 0; i < kCaptionedPictures + kCrowdedPictures; ++i) {
    const bool captioned = i < kCaptionedPictures;
    const auto objects =
        captioned ? training_still(random) : crowded_still(random, 1 + random.below(kMaxInCrowd));
    const Look look = random_look(random);
    painter_.begin(look, random.chance(kDegraded), random);
    batch.pictures.push_back(painted(objects, 0));
    append_patch_labels(objects, 0, config_.vision.grid(), batch.labels);
    if (captioned) {
      const std::string caption = still_caption(still_truth(objects, 0));
      batch.captions.push_back(example_tokens(config_, tokenizer_, "", caption).suffix);
    }
  }
  return batch;
}

TrainingExample Lessons::example_of(const Question& question, int first_picture, int pictures) const {
  const ExampleTokens tokens = example_tokens(config_, tokenizer_, question.prefix, question.suffix);
  TrainingExample example{.pictures = {}, .prompt = tokens.prompt, .suffix = tokens.suffix};
  for (int i = 0; i < pictures; ++i) example.pictures.push_back(first_picture + i);
  // Weights of long answers lie between those of a mean over answers and of a mean over tokens.
  example.weight = std::sqrt(double(tokens.suffix.size()));
  return example;
}

Lesson Lessons::lesson(Part part, int step, double progress, bool drawn) {
  const std::uint64_t seed = seed_of(seed_, 1 + std::uint64_t(part), step);
  Random random(seed);
  return lesson_of(kind_at(part, progress, random), random.bits(), drawn);
}

Lesson Lessons::lesson_of(const LessonKind& kind, std::uint64_t seed, bool drawn) {
  Random random(seed), brush(split_mix(seed));
  Lesson lesson;
  TrainingBatch& batch = lesson.batch;
  batch.pictures_alone = kind.packed;
  const auto draw = [&](std::span<const Object> objects, double t) {
    batch.pictures.push_back(drawn ? painted(objects, t) : Matrix());
  };
  const auto begin = [&](const Look& look) {
    if (drawn) painter_.begin(look, brush.chance(kDegraded), brush);
  };
  for (int scene = 0; scene < kind.scenes; ++scene) {
    const int first = int(batch.pictures.size());
    std::vector<Question> asked;
    if (kind.pictures == 1) {
      const auto objects = training_still(random);
      begin(random_look(random));
      draw(objects, 0);
      asked = questions_.of_still(objects, kind.questions, random);
    } else if (kind.pictures == 2) {
      const StillPair pair = training_pair(random);
      begin(pair.look);
      draw(pair.left, 0);
      // The second picture is of the same camera or of another.
      const Look other = random_look(random);
      begin(random.chance(0.5) ? pair.look : other);
      draw(pair.right, 0);
      asked = questions_.of_pair(pair.left, pair.right, kind.questions, random);
    } else {
      const StreetWindow window = training_window(random, kind.pictures);
      begin(window.look);
      for (const double t : window.times) draw(window.objects, t);
      asked = questions_.of_window(window.objects, window.times, kind.questions, random);
    }
    for (Question& question : asked) {
      batch.examples.push_back(example_of(question, first, kind.pictures));
      lesson.questions.push_back(std::move(question));
    }
  }
  return lesson;
}

}  // namespace palisade::world
