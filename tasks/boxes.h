#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace palisade {

// A box of an answer to "detect" or "segment": four <locDDDD> and a label. From 0 (top, left) to
// kLastLocation (bottom, right) of the picture's own height and width.
struct Box {
  int y_min = 0;
  int x_min = 0;
  int y_max = 0;
  int x_max = 0;
  std::string label;

  bool operator==(const Box&) const = default;
};
inline constexpr int kLastLocation = 1023;

// The boxes of an answer in order; other text is skipped.
std::vector<Box> boxes_of(std::string_view answer);

// "car: y_min 256, x_min 128, y_max 512, x_max 768 of 0 to 1023; of 640 x 480 pixels x 80 to 480, y 120 to
// 240". Without a width nothing is said of pixels.
std::string line_of(const Box& box, int width, int height);

}  // namespace palisade
