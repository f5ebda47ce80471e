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

// A clause: "a red car drives from left to right".
std::string text_of(const Clause& clause);
// With its article: "a red car".
std::string text_of(const Thing& thing);

// The caption of a window: "a red car enters from the left and a blue dog stays".
std::string window_caption(std::span<const Clause> clauses);
// The objects that move: "a red car and a blue dog", or "nothing".
std::string moving_text(std::span<const Clause> clauses);
// The caption of a still picture: "two red cars and a blue dog". `things` must be sorted.
std::string still_caption(std::span<const Thing> things);

// The answer to "detect KIND": four location tokens for each object, from left to right.
std::string detection_text(std::span<const Object> objects, Kind kind, double t);

// Splits a caption into its clauses; an empty street has none.
std::vector<std::string> clauses_in(std::string_view caption);
// The things that a caption names; "two red cars" are two. Unknown words are skipped.
std::vector<Thing> things_in(std::string_view caption);

}  // namespace palisade::world
