#include "examples/demo_model/detection.h"

#include <algorithm>
#include <cmath>

#include "tasks/boxes.h"

namespace palisade::world {
namespace {

UnitBox unit_box(const palisade::Box& box) {
  const LocationScale scale;
  return {scale.share(box.y_min), scale.share(box.x_min), scale.share(box.y_max), scale.share(box.x_max)};
}

}  // namespace

std::vector<UnitBox> boxes_in(std::string_view text) {
  std::vector<UnitBox> boxes;
  for (const palisade::Box& box : read_boxes(text).boxes) boxes.push_back(unit_box(box));
  return boxes;
}

std::vector<ScoredBox> boxes_of(const Answer& answer) {
  std::vector<ScoredBox> boxes;
  for (const palisade::Box& box : read_boxes(answer.text).boxes) {
    ScoredBox& scored = boxes.emplace_back(ScoredBox{.box = unit_box(box)});
    for (std::size_t i = 0; i < 4; ++i)
      scored.confidence += std::exp(answer.locations.at(box.first_location + i).logprob) / 4;
  }
  return boxes;
}

double overlap_of(const UnitBox& a, const UnitBox& b) {
  const double height = std::min(a[2], b[2]) - std::max(a[0], b[0]);
  const double width = std::min(a[3], b[3]) - std::max(a[1], b[1]);
  if (height <= 0 || width <= 0) return 0;
  const auto area = [](const UnitBox& box) { return (box[2] - box[0]) * (box[3] - box[1]); };
  return height * width / (area(a) + area(b) - height * width);
}

void Detections::add(const std::string& kind, const std::vector<UnitBox>& there,
                     std::vector<ScoredBox> found) {
  OfKind& own = kinds_[kind];
  own.there += int(there.size());
  std::vector<UnitBox> left = there;
  std::ranges::stable_sort(found, std::ranges::greater(), &ScoredBox::confidence);
  for (const ScoredBox& one : found) {
    const auto best =
        std::ranges::max_element(left, {}, [&](const UnitBox& box) { return overlap_of(box, one.box); });
    const bool right = best != left.end() && overlap_of(*best, one.box) >= 0.5;
    if (right) left.erase(best);
    own.found.push_back({one.confidence, right});
  }
}

double Detections::average_precision() const {
  double sum = 0;
  int kinds = 0;
  for (const auto& [kind, of_kind] : kinds_) {
    if (of_kind.there == 0) continue;
    ++kinds;
    std::vector<Found> found = of_kind.found;
    std::ranges::stable_sort(found, std::ranges::greater(), &Found::confidence);
    std::vector<double> precision, recall;
    int right = 0;
    for (const Found& one : found) {
      right += one.right;
      precision.push_back(double(right) / double(precision.size() + 1));
      recall.push_back(double(right) / of_kind.there);
    }
    for (std::size_t i = precision.size(); i-- > 1;)
      precision[i - 1] = std::max(precision[i - 1], precision[i]);
    double area = 0;
    for (int step = 0; step <= 100; ++step) {
      const auto at = std::ranges::lower_bound(recall, step / 100.0) - recall.begin();
      if (at < std::ptrdiff_t(precision.size())) area += precision[std::size_t(at)] / 101;
    }
    sum += area;
  }
  return kinds == 0 ? 0 : sum / kinds;
}

double Detections::area_under_curve() const {
  std::vector<double> right, wrong;
  for (const auto& [kind, of_kind] : kinds_) {
    for (const Found& one : of_kind.found) (one.right ? right : wrong).push_back(one.confidence);
  }
  double above = 0;
  for (const double a : right) {
    for (const double b : wrong) above += a > b ? 1 : a == b ? 0.5 : 0;
  }
  const double pairs = double(right.size()) * double(wrong.size());
  return pairs == 0 ? 0.5 : above / pairs;
}

int Detections::wrong() const {
  int count = 0;
  for (const auto& [kind, of_kind] : kinds_)
    count += int(std::ranges::count(of_kind.found, false, &Found::right));
  return count;
}

}  // namespace palisade::world
