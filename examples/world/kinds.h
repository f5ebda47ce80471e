#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

namespace palisade::world {

// The kinds of objects and their colours, both in the order of captions.
enum class Kind { kCar, kTruck, kPerson, kDog, kBicycle, kBus };
enum class Colour { kRed, kGreen, kBlue, kYellow, kWhite, kBlack };

inline constexpr int kKinds = 6;
inline constexpr int kColours = 6;

// The kinds of objects on a street, which are equally likely.
using Kinds = std::span<const Kind>;
// The kinds of the demo world. The bus is not among them, so that fine-tuning can teach the demo model a new
// kind.
inline constexpr std::array kStreetKinds{Kind::kCar, Kind::kTruck, Kind::kPerson, Kind::kDog, Kind::kBicycle};

// Names and sizes of a kind, in camera pixels at scale 1.
struct KindFacts {
  std::string_view name;
  std::string_view plural;
  std::string_view verb;
  int width;
  int height;
};
const KindFacts& facts(Kind kind);

std::string_view name(Colour colour);
// The colour before an object's own variation, RGB in 0..255.
std::array<double, 3> paint(Colour colour);

// The kind of a word in singular or plural; nothing for an unknown word.
std::optional<Kind> kind_named(std::string_view word);
std::optional<Colour> colour_named(std::string_view word);

}  // namespace palisade::world
