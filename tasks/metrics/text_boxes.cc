#include "tasks/metrics/text_boxes.h"

#include <optional>

#include "tasks/metrics/python_text.h"

namespace palisade {
namespace {

constexpr std::u32string_view kOpening = U"<loc";
constexpr std::size_t kDigits = 4;
constexpr std::size_t kLocationSize = kOpening.size() + kDigits + 1;

// The location at a place of the text.
std::optional<int> location_at(std::u32string_view text, std::size_t at) {
  if (at + kLocationSize > text.size() || text.substr(at, kOpening.size()) != kOpening ||
      text[at + kLocationSize - 1] != U'>')
    return std::nullopt;
  int number = 0;
  for (std::size_t i = 0; i < kDigits; ++i) {
    const auto digit = decimal_digit(text[at + kOpening.size() + i]);
    if (!digit) return std::nullopt;
    number = number * 10 + *digit;
  }
  return number;
}

bool is_of_label(char32_t point) {
  return is_python_word(point) || is_python_space(point) || point == U'-';
}

}  // namespace

std::vector<WrittenBox> written_boxes(std::string_view answer) {
  const std::u32string text = code_points_of(answer);
  std::vector<WrittenBox> boxes;
  for (std::size_t at = 0; at < text.size();) {
    const bool follows = at >= kLocationSize && location_at(text, at - kLocationSize).has_value();
    WrittenBox box;
    std::size_t end = at, count = 0;
    while (!follows && count < box.locations.size()) {
      const auto location = location_at(text, end);
      if (!location) break;
      box.locations[count++] = *location;
      end += kLocationSize;
    }
    const std::size_t label = end + 1;
    if (count < box.locations.size() || end >= text.size() || text[end] != U' ' || label >= text.size() ||
        !is_of_label(text[label])) {
      ++at;
      continue;
    }
    end = label;
    while (end < text.size() && is_of_label(text[end])) ++end;
    box.label = stripped(utf8_of(std::u32string_view(text).substr(label, end - label)));
    boxes.push_back(std::move(box));
    at = end;
  }
  return boxes;
}

}  // namespace palisade
