#include "tasks/boxes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace palisade {
namespace {

constexpr std::string_view kLocation = "<loc", kSegment = "<seg";

// Removes "<loc0123>" or "<seg012>" from the front of a text.
std::optional<int> take_number(std::string_view& text, std::string_view name, std::size_t digits) {
  const std::size_t length = name.size() + digits + 1;
  if (text.size() < length || !text.starts_with(name) || text[length - 1] != '>') return std::nullopt;
  int number = 0;
  for (const char c : text.substr(name.size(), digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = 10 * number + (c - '0');
  }
  text.remove_prefix(length);
  return number;
}

std::optional<int> take_location(std::string_view& text) {
  const auto number = take_number(text, kLocation, 4);
  return number && *number <= kLastLocation ? number : std::nullopt;
}

// Removes the label, up to the next object.
std::string take_label(std::string_view& text) {
  const std::size_t end = std::min(text.find(';'), text.find(kLocation));
  std::string_view label = text.substr(0, end);
  text.remove_prefix(label.size());
  label.remove_prefix(std::min(label.find_first_not_of(' '), label.size()));
  return std::string(label.substr(0, label.find_last_not_of(' ') + 1));
}

int pixel(int location, int side) {
  return int(std::lround(double(location) * side / kLastLocation));
}

}  // namespace

std::vector<Box> boxes_of(std::string_view answer) {
  std::vector<Box> boxes;
  for (std::size_t at; (at = answer.find(kLocation)) != std::string_view::npos;) {
    std::string_view rest = answer.substr(at);
    std::array<int, 4> sides{};
    std::size_t known = 0;
    for (std::optional<int> side; known < sides.size() && (side = take_location(rest)); ++known)
      sides[known] = *side;
    if (known < sides.size()) {
      answer.remove_prefix(at + 1);
      continue;
    }
    while (take_number(rest, kSegment, 3)) {
    }
    boxes.push_back({sides[0], sides[1], sides[2], sides[3], take_label(rest)});
    answer = rest;
  }
  return boxes;
}

std::string line_of(const Box& box, int width, int height) {
  const auto number = [](int value) { return std::to_string(value); };
  std::string line = (box.label.empty() ? "box" : box.label) + ": y_min " + number(box.y_min) + ", x_min " +
                     number(box.x_min) + ", y_max " + number(box.y_max) + ", x_max " + number(box.x_max) +
                     " of 0 to " + number(kLastLocation);
  if (width <= 0) return line;
  return line + "; of " + number(width) + " x " + number(height) + " pixels x " +
         number(pixel(box.x_min, width)) + " to " + number(pixel(box.x_max, width)) + ", y " +
         number(pixel(box.y_min, height)) + " to " + number(pixel(box.y_max, height));
}

}  // namespace palisade
