#pragma once

#include <cstdint>

#include "examples/world/model_painter.h"
#include "examples/world/questions.h"
#include "model/config/preprocessor.h"
#include "model/text/tokenizer.h"
#include "model/train/example.h"
#include "model/train/image_stage.h"
#include "model/train/training_pass.h"

namespace palisade::world {

// The parts of the training after stage 0. The course leads from single pictures to windows; the review
// repeats all questions in the form in which the model will be used; the last part trains the image tower as
// well.
enum class Part { kCourse, kReview, kTogether };

// The contents of one batch of the mixture.
struct LessonKind {
  int pictures = 1;  // pictures of a scene: 1, 2, or the frames of a window
  int scenes = 1;
  int questions = 1;    // questions about each scene
  bool packed = false;  // the questions about a scene share its pictures in one sequence
};

struct Lesson {
  TrainingBatch batch;
  std::vector<Question> questions;  // in the order of the batch's examples
};

// Makes the batches of the demo model's training. The seed of each follows from the training's seed and the
// step. Not thread-safe.
class Lessons {
 public:
  Lessons(const ModelConfig& config, const Preprocessor& preprocessor, const Tokenizer& tokenizer,
          std::uint64_t seed);

  // Batches of stage 0: crowded pictures with labels of their patches, and pictures with captions.
  ImageStageBatch image_lesson(int step);

  // A batch of the mixture. `progress`: share of this part of the training that is done, in 0..1. Steps must
  // be requested in order, because answers are balanced over all earlier ones. Without `drawn` no pictures
  // are drawn.
  Lesson lesson(Part part, int step, double progress, bool drawn);
  // Scenes and questions of one kind.
  Lesson lesson_of(const LessonKind& kind, std::uint64_t seed, bool drawn);

 private:
  TrainingExample example_of(const Question& question, int first_picture, int pictures) const;
  Matrix painted(std::span<const Object> objects, double t);

  const ModelConfig& config_;
  const Preprocessor& preprocessor_;
  const Tokenizer& tokenizer_;
  std::uint64_t seed_;
  Sprites sprites_;
  ModelPainter painter_;
  Questions questions_;
};

}  // namespace palisade::world
