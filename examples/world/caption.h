#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "examples/world/truth.h"

namespace palisade::world {

inline constexpr std::string_view kEmptyStreet = "an empty street";
inline constexpr std::array<std::string_view, 5> kNumbers{"zero", "one", "two", "three", "four"};

// "a red car drives from left to right".
std::string text_of(const Clause& clause);
// "a red car".
std::string text_of(const Thing& thing);

// "a red car enters from the left and a blue dog stays".
std::string window_caption(std::span<const Clause> clauses);
// "a red car and a blue dog" of those that don't stay, or "nothing".
std::string moving_text(std::span<const Clause> clauses);
// "two red cars and a blue dog"; `things` sorted.
std::string still_caption(std::span<const Thing> things);

// The answer to "detect KIND": four location tokens an object, from left to right.
std::string detection_text(std::span<const Object> objects, Kind kind, double t);

// A caption taken apart: its clauses as they stand; none of an empty street.
std::vector<std::string> clauses_in(std::string_view caption);
// The things that a caption names, "two red cars" twice; words that name nothing are passed over.
std::vector<Thing> things_in(std::string_view caption);

}  // namespace palisade::world
