#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "examples/world/questions.h"
#include "examples/world/score.h"

namespace palisade::world {

// A box in 0..1: y0 x0 y1 x1.
using UnitBox = std::array<double, 4>;
// Of "<loc0000><loc0000><loc0000><loc0000> car ; ..."; boxes that are none are passed over.
std::vector<UnitBox> boxes_in(std::string_view text);

// What one kind of question was answered like.
struct Marks {
  int asked = 0;
  int exact = 0;
  std::map<std::string, int> truths;   // how often each was true
  Score captions;                      // of captions
  double overlap = 0;                  // detection: sum over true boxes, 0 where none matches
  int boxes = 0, said = 0, found = 0;  // found: overlap of at least a half

  void add(std::string_view answer, const Question& question);
  double exact_share() const { return asked == 0 ? 0 : double(exact) / asked; }
  // Of the best constant answer.
  double floor() const;
  double mean_overlap() const { return boxes == 0 ? 0 : overlap / boxes; }
  double detection_f1() const { return boxes + said == 0 ? 1 : 2.0 * found / (boxes + said); }
};

// What a question is counted as: "caption", "count", "colour", "exists", "detect", "exactly", "more", "both",
// "contains", "direction", "direction with colour", "enter", "leave" or "moves".
std::string mark_of(std::string_view prefix);

}  // namespace palisade::world
