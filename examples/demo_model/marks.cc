#include "examples/demo_model/marks.h"

#include <algorithm>

namespace palisade::world {

void Marks::add(const Answer& answer, const Question& question) {
  ++asked;
  ++truths[question.suffix];
  exact += exactly(answer.text, question.suffix);
  if (question.prefix == "caption en") captions.add(answer.text, question.suffix);
  if (!question.prefix.starts_with("detect")) return;
  auto really = boxes_in(question.suffix), told = boxes_in(answer.text);
  detections.add(question.prefix, really, boxes_of(answer));
  // Matches the pairs of the highest overlap first.
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
