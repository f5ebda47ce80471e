#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace palisade {

// A box of an answer to "detect" as written: y1, x1, y2, x2, not checked for order or range.
struct WrittenBox {
  std::array<int, 4> locations{};
  std::string label;  // stripped
};

// The boxes that the package supervision recognises: exactly four locations of four digits in any script, a
// space, and a label of word characters, white space and hyphens. read_boxes() of tasks/boxes.h reads more.
std::vector<WrittenBox> written_boxes(std::string_view answer);

}  // namespace palisade
