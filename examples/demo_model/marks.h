#pragma once

#include <map>
#include <string>
#include <string_view>

#include "examples/demo_model/detection.h"
#include "examples/world/questions.h"
#include "examples/world/score.h"

namespace palisade::world {

// The results for one kind of question.
struct Marks {
  int asked = 0;
  int exact = 0;
  std::map<std::string, int> truths;   // how often each answer was the right one
  Score captions;                      // score of captions
  double overlap = 0;                  // detection: sum of IoU over the true boxes; 0 for a box without match
  int boxes = 0, said = 0, found = 0;  // found: with an IoU of at least 0.5

  Detections detections;

  void add(const Answer& answer, const Question& question);
  double exact_share() const { return asked == 0 ? 0 : double(exact) / asked; }
  // The share of right answers that the best constant answer has.
  double floor() const;
  double mean_overlap() const { return boxes == 0 ? 0 : overlap / boxes; }
  double detection_f1() const { return boxes + said == 0 ? 1 : 2.0 * found / (boxes + said); }
};

// The kind of a question: "caption", "count", "colour", "exists", "detect", "exactly", "more", "both",
// "contains", "direction", "direction with colour", "enter", "leave" or "moves".
std::string mark_of(std::string_view prefix);

}  // namespace palisade::world
