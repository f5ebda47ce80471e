#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

namespace palisade::world {

// What can be on the street, and in which colours. Both in the order that captions use.
enum class Kind { kCar, kTruck, kPerson, kDog, kBicycle, kBus };
enum class Colour { kRed, kGreen, kBlue, kYellow, kWhite, kBlack };

inline constexpr int kKinds = 6;
inline constexpr int kColours = 6;

// A street's kinds of things, each as likely as another.
using Kinds = std::span<const Kind>;
// The demo world's. The bus is none of them: the demo model never saw one, so that it can be taught what it
// is.
inline constexpr std::array kStreetKinds{Kind::kCar, Kind::kTruck, Kind::kPerson, Kind::kDog, Kind::kBicycle};

// The words and measures of a kind. Sizes are camera pixels at scale 1.
struct KindFacts {
  std::string_view name;
  std::string_view plural;
  std::string_view verb;
  int width;
  int height;
};
const KindFacts& facts(Kind kind);

std::string_view name(Colour colour);
// The colour's paint before an object's own variation, RGB in 0..255.
std::array<double, 3> paint(Colour colour);

// Singular or plural; nothing for a word that names no kind.
std::optional<Kind> kind_named(std::string_view word);
std::optional<Colour> colour_named(std::string_view word);

}  // namespace palisade::world
