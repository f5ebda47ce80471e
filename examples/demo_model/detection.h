#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/decoding/decoding.h"

namespace palisade::world {

// A box with coordinates in 0..1: y0 x0 y1 x1.
using UnitBox = std::array<double, 4>;

// A box that was found, and the mean probability of its location tokens.
struct ScoredBox {
  UnitBox box{};
  double confidence = 0;
};

// The well-formed boxes of a text.
std::vector<UnitBox> boxes_in(std::string_view text);
// Those of an answer, with their confidences.
std::vector<ScoredBox> boxes_of(const Answer& answer);
double overlap_of(const UnitBox& a, const UnitBox& b);

// Boxes that were found in many pictures, and those that are there; kind by kind.
class Detections {
 public:
  // One picture: what was asked for, what is there, what was found. Each box found, the most confident first,
  // takes the box that it overlaps most and that none has taken; it is right with an IoU of at least 0.5.
  void add(const std::string& kind, const std::vector<UnitBox>& there, std::vector<ScoredBox> found);

  // COCO's AP at an IoU of 0.5: the mean over kinds of the precision at 101 recalls.
  double average_precision() const;
  // How often a right box is more confident than a wrong one; half of where they are equal.
  double area_under_curve() const;
  int wrong() const;

 private:
  struct Found {
    double confidence = 0;
    bool right = false;
  };
  struct OfKind {
    int there = 0;
    std::vector<Found> found;
  };
  std::map<std::string, OfKind> kinds_;
};

}  // namespace palisade::world
