#include "examples/world/kinds.h"

namespace palisade::world {
namespace {

constexpr std::array<KindFacts, kKinds> kFacts{{
    {"car", "cars", "drives", 156, 66},
    {"truck", "trucks", "drives", 220, 104},
    {"person", "people", "walks", 50, 104},
    {"dog", "dogs", "runs", 104, 76},
    {"bicycle", "bicycles", "rides", 118, 76},
    {"bus", "buses", "drives", 250, 115},
}};

struct ColourFacts {
  std::string_view name;
  std::array<double, 3> paint;
};
constexpr std::array<ColourFacts, kColours> kPaints{{
    {"red", {208, 38, 34}},
    {"green", {34, 152, 56}},
    {"blue", {38, 78, 214}},
    {"yellow", {238, 206, 40}},
    {"white", {240, 240, 240}},
    {"black", {30, 30, 34}},
}};

}  // namespace

const KindFacts& facts(Kind kind) {
  return kFacts[static_cast<std::size_t>(kind)];
}

std::string_view name(Colour colour) {
  return kPaints[static_cast<std::size_t>(colour)].name;
}

std::array<double, 3> paint(Colour colour) {
  return kPaints[static_cast<std::size_t>(colour)].paint;
}

std::optional<Kind> kind_named(std::string_view word) {
  for (int i = 0; i < kKinds; ++i) {
    const auto kind = static_cast<Kind>(i);
    if (word == facts(kind).name || word == facts(kind).plural) return kind;
  }
  return std::nullopt;
}

std::optional<Colour> colour_named(std::string_view word) {
  for (int i = 0; i < kColours; ++i) {
    if (word == name(static_cast<Colour>(i))) return static_cast<Colour>(i);
  }
  return std::nullopt;
}

}  // namespace palisade::world
