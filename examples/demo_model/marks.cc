#include "examples/demo_model/marks.h"

#include <algorithm>
#include <charconv>

namespace palisade::world {
namespace {

constexpr std::string_view kLocation = "<loc";

double overlap_of(const UnitBox& a, const UnitBox& b) {
  const double height = std::min(a[2], b[2]) - std::max(a[0], b[0]);
  const double width = std::min(a[3], b[3]) - std::max(a[1], b[1]);
  if (height <= 0 || width <= 0) return 0;
  const auto area = [](const UnitBox& box) { return (box[2] - box[0]) * (box[3] - box[1]); };
  return height * width / (area(a) + area(b) - height * width);
}

}  // namespace

std::vector<UnitBox> boxes_in(std::string_view text) {
  std::vector<UnitBox> boxes;
  std::vector<double> places;
  while (!text.empty()) {
    if (text.starts_with(kLocation) && text.size() >= 9) {
      int place = 0;
      std::from_chars(text.data() + 4, text.data() + 8, place);
      places.push_back(place / 1023.0);
      text.remove_prefix(9);
      if (places.size() == 4) {
        boxes.push_back({places[0], places[1], places[2], places[3]});
        places.clear();
      }
    } else {
      places.clear();
      text.remove_prefix(1);
    }
  }
  return boxes;
}

void Marks::add(std::string_view answer, const Question& question) {
  ++asked;
  ++truths[question.suffix];
  exact += exactly(answer, question.suffix);
  if (question.prefix == "caption en") captions.add(answer, question.suffix);
  if (!question.prefix.starts_with("detect")) return;
  // Matches the pairs of the highest overlap first.
  auto really = boxes_in(question.suffix), told = boxes_in(answer);
  boxes += int(really.size());
  said += int(told.size());
  while (!really.empty() && !told.empty()) {
    double best = 0;
    std::size_t of_really = 0, of_told = 0;
    for (std::size_t i = 0; i < really.size(); ++i) {
      for (std::size_t j = 0; j < told.size(); ++j) {
        if (const double now = overlap_of(really[i], told[j]); now > best) {
          best = now;
          of_really = i;
          of_told = j;
        }
      }
    }
    if (best == 0) break;
    overlap += best;
    found += best >= 0.5;
    really.erase(really.begin() + std::ptrdiff_t(of_really));
    told.erase(told.begin() + std::ptrdiff_t(of_told));
  }
}

double Marks::floor() const {
  int most = 0;
  for (const auto& [truth, count] : truths) most = std::max(most, count);
  return asked == 0 ? 0 : double(most) / asked;
}

std::string mark_of(std::string_view prefix) {
  const auto has = [&](std::string_view words) { return prefix.find(words) != std::string_view::npos; };
  if (prefix == "caption en") return "caption";
  if (prefix.starts_with("detect")) return "detect";
  if (has("which way")) {
    const bool coloured =
        std::ranges::count(prefix, ' ') > 7;  // longer than "answer en which way does the KIND go?"
    return coloured ? "direction with colour" : "direction";
  }
  static constexpr std::pair<std::string_view, std::string_view> kMarks[]{
      {"how many", "count"}, {"what colour", "colour"}, {"exactly", "exactly"},
      {"more", "more"},      {"both", "both"},          {"contains", "contains"},
      {"enter", "enter"},    {"leave", "leave"},        {"what moves", "moves"}};
  for (const auto& [words, mark] : kMarks) {
    if (has(words)) return std::string(mark);
  }
  return "exists";
}

}  // namespace palisade::world
