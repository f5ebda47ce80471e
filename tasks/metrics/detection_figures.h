#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "tasks/metrics/example.h"

namespace palisade {

inline constexpr int kOverlapThresholds = 10;  // 0.5, 0.55, ... 0.95
std::array<double, kOverlapThresholds> overlap_thresholds();

// A picture's objects and what was found in it.
struct JudgedPicture {
  std::span<const LabelledObject> labelled;
  std::span<const FoundObject> found;
};

// The labelled object that a found one was matched to, if any.
struct ObjectMatch {
  std::int64_t labelled = 0;  // its id, 0 where there is none
  bool ignored = false;       // neither right nor wrong
};

// What became of a found object at each threshold; past the limit of 100 a category: judged is false.
struct MatchedObject {
  bool judged = false;
  std::array<ObjectMatch, kOverlapThresholds> at;
};

// COCO's twelve figures; -1 where there is nothing to find.
struct DetectionFigures {
  double ap = -1, ap50 = -1, ap75 = -1, ap_small = -1, ap_medium = -1, ap_large = -1;
  double ar1 = -1, ar10 = -1, ar100 = -1, ar_small = -1, ar_medium = -1, ar_large = -1;
};

struct DetectionResult {
  DetectionFigures all;                                 // over `categories`
  std::map<std::int64_t, DetectionFigures> categories;  // of each alone
  std::vector<std::vector<MatchedObject>> matches;      // [picture, found], over objects of any size
};

// AP and AR as pycocotools' COCOeval computes them. Pictures are in the order of their ids. `masks`: overlaps
// of masks, which every object then has, instead of boxes.
DetectionResult judge_detections(std::span<const JudgedPicture> pictures,
                                 std::span<const std::int64_t> categories, bool masks);

}  // namespace palisade
