#include "tasks/boxes.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/format.h"
#include "model/masks/mask_decoder.h"

namespace palisade {
namespace {

constexpr std::string_view kLocation = "<loc", kSegment = "<seg";
constexpr std::size_t kEdges = 4;
static_assert(kCodesOfMask == MaskDecoder::kCodesOfMask && kMaskCodes == MaskDecoder::kCodes);

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

std::vector<int> take_numbers(std::string_view& text, std::string_view name, std::size_t digits) {
  std::vector<int> numbers;
  while (const auto number = take_number(text, name, digits)) numbers.push_back(*number);
  return numbers;
}

std::string_view without_space(std::string_view text) {
  constexpr std::string_view kSpace = " \n\t";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) + 1 - first);
}

// What one object's tokens say against it; empty where they are a box's.
std::string fault_of(const std::vector<int>& edges, const std::vector<int>& codes, std::string_view label) {
  if (edges.empty()) return "has no location";
  if (edges.size() != kEdges) return format("has {} locations, not 4", edges.size());
  for (const int edge : edges) {
    if (edge > kLastLocation) return format("has a location above {}", kLastLocation);
  }
  if (edges[2] <= edges[0] || edges[3] <= edges[1]) return "has no area";
  if (!codes.empty() && codes.size() < kCodesOfMask)
    return format("has {} codes of a mask, not {}", codes.size(), kCodesOfMask);
  for (const int code : codes) {
    if (code >= kMaskCodes) return format("has a code of a mask above {}", kMaskCodes - 1);
  }
  if (label.find(kLocation) != label.npos || label.find(kSegment) != label.npos)
    return "has a token inside its label";
  return {};
}

}  // namespace

BoxReading read_boxes(std::string_view answer) {
  BoxReading reading;
  while (!(answer = without_space(answer)).empty()) {
    if (answer.front() == ';') {
      answer.remove_prefix(1);
      continue;
    }
    std::string_view rest = answer;
    const auto edges = take_numbers(rest, kLocation, 4);
    auto codes = take_numbers(rest, kSegment, 3);
    const std::size_t surplus = codes.size() - std::min(codes.size(), kCodesOfMask);
    codes.resize(codes.size() - surplus);
    // A label ends before the next object; at least one byte is taken, whatever it is.
    const bool bare = edges.empty() && codes.empty();
    const std::size_t end = std::min(rest.find(';'), rest.find(kLocation, bare ? 1 : 0));
    const std::string_view label = without_space(rest.substr(0, end));
    rest.remove_prefix(std::min(end, rest.size()));
    const std::string_view whole = answer.substr(0, answer.size() - rest.size());
    std::string fault = fault_of(edges, codes, label);
    if (fault.empty() && surplus > 0)
      reading.malformed.push_back(
          {std::string(without_space(whole)),
           format("has {} codes of a mask more than {}, which are left aside", surplus, kCodesOfMask)});
    if (fault.empty()) {
      reading.boxes.push_back({.y_min = edges[0],
                               .x_min = edges[1],
                               .y_max = edges[2],
                               .x_max = edges[3],
                               .label = std::string(label),
                               .codes = codes,
                               .first_location = reading.locations.size()});
    } else {
      reading.malformed.push_back({std::string(without_space(whole)), std::move(fault)});
    }
    reading.locations.insert(reading.locations.end(), edges.begin(), edges.end());
    answer = rest;
  }
  return reading;
}

// As big_vision makes training data: a half is rounded to the even number.
int LocationScale::location(double share) const {
  return int(std::clamp(std::nearbyint(share * last), 0.0, double(kLastLocation)));
}

std::string text_of(const Box& box) {
  std::string text;
  for (const int edge : {box.y_min, box.x_min, box.y_max, box.x_max}) text += format("<loc{:04}>", edge);
  for (const int code : box.codes) text += format("<seg{:03}>", code);
  return box.label.empty() ? text : format("{} {}", text, box.label);
}

std::string line_of(const Box& box, int width, int height, const LocationScale& scale) {
  const std::string line =
      format("{}: y_min {}, x_min {}, y_max {}, x_max {} of 0 to {}", box.label.empty() ? "box" : box.label,
             box.y_min, box.x_min, box.y_max, box.x_max, scale.last);
  if (width <= 0) return line;
  return format("{}; of {} x {} pixels x {} to {}, y {} to {}", line, width, height,
                scale.pixel(box.x_min, width), scale.pixel(box.x_max, width), scale.pixel(box.y_min, height),
                scale.pixel(box.y_max, height));
}

}  // namespace palisade
