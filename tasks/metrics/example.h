#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "tasks/metrics/mask_runs.h"

namespace palisade {

// An object that is in a picture, as COCO's annotations have it.
struct LabelledObject {
  std::int64_t id = 0;  // 0: none of its own, it is numbered
  std::int64_t category = 0;
  std::array<double, 4> box{};  // x, y, width, height in pixels
  double area = 0;              // as annotated, in pixels
  bool crowd = false;
  std::optional<MaskRuns> mask;
};

// An object that a model found.
struct FoundObject {
  std::int64_t category = 0;
  std::array<double, 4> box{};  // x, y, width, height in pixels
  double score = 1;
  std::optional<MaskRuns> mask;
};

// What is right for an example: what its line of the data says, under the names of the reference scripts.
// Whatever a metric does not need is left at its default.
struct ExampleReferences {
  std::vector<std::string> answers;
  bool unanswered = false;            // an example of a test set, in no average
  bool listed = false;                // "answers", a list, and not one "answer"
  std::string answer_type;            // vqav2: "yes/no", "number", "other"
  std::string question_type;          // rsvqa: "comp", "count", ...
  int simple = -1;                    // tallyqa's "issimple"
  std::string identifier;             // nlvr2: "dev-12-3-0.png"
  std::optional<std::size_t> choice;  // aokvqa: place of the right one in `choices`
  std::vector<std::string> choices;
  bool difficult = false;  // aokvqa's "difficult_direct_answer"
  int width = 0;           // of the picture, in pixels
  int height = 0;
  std::vector<LabelledObject> objects;  // detection
  MaskRuns mask;                        // segmentation's "truth_mask"
  std::array<double, 4> box{};          // segmentation: y1, x1, y2, x2 from 0 to 1
};

// What a model said.
struct ExamplePrediction {
  std::string text;      // not stripped
  bool missing = false;  // scored as the empty text, and counted
  // aokvqa has two settings, and what is nothing counts 0; else `text` is the answer of both.
  bool two_settings = false;
  std::optional<std::string> multiple_choice, direct_answer;
  // detection: objects with scores; without them the boxes of `text` count.
  std::optional<std::vector<FoundObject>> found;
};

struct MetricExample {
  Json id;  // text or a whole number
  ExampleReferences references;
  ExamplePrediction prediction;
};

}  // namespace palisade
