#pragma once

#include <string_view>

namespace palisade {

// Whether file name `a` sorts before `b` in natural order: numbers in the names compare by value (1, 2, 10),
// also long ones and those with leading zeros; letters compare without regard to case; the extension compares
// last. Names that are equal in this order compare by their bytes, so that the order is always the same.
bool comes_before(std::string_view a, std::string_view b);

}  // namespace palisade
