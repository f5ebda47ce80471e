#pragma once

#include <string_view>

namespace palisade {

// Whether file name `a` comes before `b` as people count: 1, 2, 10 by the numbers in them, however long and
// with however many leading zeros, else letter by letter without regard to case, and the ending last. Names
// that count as the same are told apart by their bytes, so that an order is always the same one.
bool comes_before(std::string_view a, std::string_view b);

}  // namespace palisade
