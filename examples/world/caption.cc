#include "examples/world/caption.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <tuple>

namespace palisade::world {
namespace {

std::string joined(const std::vector<std::string>& parts, std::string_view none = kEmptyStreet) {
  if (parts.empty()) return std::string(none);
  std::string text = parts.front();
  for (std::size_t i = 1; i < parts.size(); ++i) text += (i + 1 == parts.size() ? " and " : ", ") + parts[i];
  return text;
}

std::string motion_text(const Clause& clause) {
  const bool right = clause.to_right;
  switch (clause.motion) {
    case Motion::kCrosses:
      return right ? " from left to right" : " from right to left";
    case Motion::kEnters:
      return right ? " enters from the left" : " enters from the right";
    case Motion::kLeaves:
      return right ? " leaves to the right" : " leaves to the left";
    case Motion::kMoves:
      return right ? " to the right" : " to the left";
    case Motion::kStays:
      return " stays";
  }
  return {};
}

// The token for a fraction of the picture, such as "<loc0512>". Only every 16th of the model's 1024 locations
// is used.
std::string location(double pixels, int of) {
  const int step = static_cast<int>(std::floor(64.0 * std::clamp(pixels / of, 0.0, 1.0) + 0.5));
  const std::string number = std::to_string(std::min(1023, 16 * step));
  return "<loc" + std::string(4 - number.size(), '0') + number + ">";
}

int count_named(std::string_view word) {
  if (word == "a" || word == "an") return 1;
  const auto* const found = std::ranges::find(kNumbers, word);
  return found == kNumbers.end() ? 0 : static_cast<int>(found - kNumbers.begin());
}

}  // namespace

std::string text_of(const Thing& thing) {
  return "a " + std::string(name(thing.colour)) + " " + std::string(facts(thing.kind).name);
}

std::string text_of(const Clause& clause) {
  std::string text = text_of(clause.thing);
  if (clause.motion == Motion::kCrosses || clause.motion == Motion::kMoves)
    text += " " + std::string(facts(clause.thing.kind).verb);
  return text + motion_text(clause);
}

std::string window_caption(std::span<const Clause> clauses) {
  std::vector<std::string> parts;
  for (const Clause& clause : clauses) parts.push_back(text_of(clause));
  return joined(parts);
}

std::string moving_text(std::span<const Clause> clauses) {
  std::vector<std::string> parts;
  for (const Clause& clause : clauses) {
    if (clause.motion != Motion::kStays) parts.push_back(text_of(clause.thing));
  }
  return joined(parts, "nothing");
}

std::string still_caption(std::span<const Thing> things) {
  std::vector<std::string> parts;
  for (auto thing = things.begin(); thing != things.end();) {
    const auto next = std::find_if(thing, things.end(), [&](const Thing& other) { return other != *thing; });
    const auto count = static_cast<std::size_t>(next - thing);
    if (count == 1) {
      parts.push_back(text_of(*thing));
    } else {
      const std::string number =
          count < kNumbers.size() ? std::string(kNumbers[count]) : std::to_string(count);
      parts.push_back(number + " " + std::string(name(thing->colour)) + " " +
                      std::string(facts(thing->kind).plural));
    }
    thing = next;
  }
  return joined(parts);
}

std::string detection_text(std::span<const Object> objects, Kind kind, double t) {
  std::vector<const Object*> seen;
  for (const Object& object : objects) {
    if (object.kind == kind && visible_fraction(object, t) >= kMinVisible) seen.push_back(&object);
  }
  // Positions are those before rounding to pixels, not those of the drawn boxes.
  const auto x0 = [&](const Object* object) { return object->x_at(t).value(); };
  const auto y0 = [&](const Object* object) { return object->baseline - object->height; };
  std::ranges::sort(seen, {},
                    [&](const Object* object) { return std::tuple(std::max(0.0, x0(object)), y0(object)); });
  std::string text;
  for (const Object* const object : seen) {
    text += (text.empty() ? "" : " ; ") + location(y0(object), kHeight) + location(x0(object), kWidth) +
            location(object->baseline, kHeight) + location(x0(object) + object->width, kWidth) + " " +
            std::string(facts(kind).name);
  }
  return text;
}

std::vector<std::string> clauses_in(std::string_view caption) {
  std::vector<std::string> clauses;
  while (!caption.empty() && caption != kEmptyStreet) {
    const std::size_t comma = caption.find(", ");
    const std::size_t conjunction = caption.find(" and ");
    const std::size_t end = std::min(comma, conjunction);
    if (end != 0) clauses.emplace_back(caption.substr(0, end));
    if (end == std::string_view::npos) break;
    caption.remove_prefix(end + (end == comma ? 2 : 5));
  }
  return clauses;
}

std::vector<Thing> things_in(std::string_view caption) {
  std::vector<Thing> things;
  for (const std::string& clause : clauses_in(caption)) {
    std::istringstream words(clause);
    std::string number, colour_word, kind_word;
    words >> number >> colour_word >> kind_word;
    const auto colour = colour_named(colour_word);
    const auto kind = kind_named(kind_word);
    if (colour && kind) things.insert(things.end(), count_named(number), {*kind, *colour});
  }
  return things;
}

}  // namespace palisade::world
