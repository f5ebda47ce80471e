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

// The parts of the mixture: the course leads from single pictures to windows; the review asks everything
// again, as the model will be asked; together with the image tower it is asked once more.
enum class Part { kCourse, kReview, kTogether };

// What one batch of the mixture is about.
struct LessonKind {
  int pictures = 1;  // of a scene: 1, 2, or the frames of a window
  int scenes = 1;
  int questions = 1;    // of each scene
  bool packed = false;  // questions share the pictures' rows
};

struct Lesson {
  TrainingBatch batch;
  std::vector<Question> questions;  // as the batch's examples
};

// Makes the demo model's batches, each from a seed of its own that follows from the training's seed and the
// step. One thread's.
class Lessons {
 public:
  Lessons(const ModelConfig& config, const Preprocessor& preprocessor, const Tokenizer& tokenizer,
          std::uint64_t seed);

  // Stage 0: crowded pictures, and pictures with their captions.
  ImageStageBatch image_lesson(int step);

  // The mixture. `progress`: of this part, in 0..1. Steps must be asked for in order, as answers are balanced
  // over all that went before; a lesson that is not `drawn` is counted only.
  Lesson lesson(Part part, int step, double progress, bool drawn);
  // Scenes and questions of one kind, as they are balanced from here on.
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
