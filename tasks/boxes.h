#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace palisade {

// The codes of a mask: <segDDD> sixteen times, each below kMaskCodes.
inline constexpr std::size_t kCodesOfMask = 16;
inline constexpr int kMaskCodes = 128;

// A box of an answer to "detect" or "segment": four <locDDDD>, the codes of a mask or none, and a label. From
// 0 (top, left) to kLastLocation (bottom, right) of the picture's own height and width, and of positive area.
struct Box {
  int y_min = 0;
  int x_min = 0;
  int y_max = 0;
  int x_max = 0;
  std::string label;
  std::vector<int> codes = {};     // kCodesOfMask or none
  std::size_t first_location = 0;  // how many location tokens the answer has before its own

  bool operator==(const Box&) const = default;
};
inline constexpr int kLastLocation = 1023;

// A part of an answer that should be a box and is none: its text, and why.
struct MalformedBox {
  std::string text;
  std::string reason;
};

struct BoxReading {
  std::vector<Box> boxes;
  std::vector<MalformedBox> malformed;
  std::vector<int> locations;  // the numbers of all location tokens, in order
};

// The boxes of an answer in order, and what is none. Of more than sixteen codes the first count, as in the
// reference. Objects end at ";" or where the next one's locations
// begin; an answer of white space has none of either.
BoxReading read_boxes(std::string_view answer);

// Which number of a location stands for the lower or right edge: training rounds to 1023, and a widely used
// parser divides by 1024.
struct LocationScale {
  int last = kLastLocation;

  double share(int location) const { return double(location) / last; }
  // The location of a share, as training rounds it; those outside the picture become its edges.
  int location(double share) const;
  // The pixel that an edge lies before, of `side`: never rounded up, as big_vision does.
  int pixel(int location, int side) const { return int(std::int64_t(location) * side / last); }
  bool operator==(const LocationScale&) const = default;
};

// As the model wrote it: "<loc0256><loc0128><loc0512><loc0768> car".
std::string text_of(const Box& box);

// "car: y_min 256, x_min 128, y_max 512, x_max 768 of 0 to 1023; of 640 x 480 pixels x 80 to 480, y 120 to
// 240". Without a width nothing is said of pixels.
std::string line_of(const Box& box, int width, int height, const LocationScale& scale = {});

}  // namespace palisade
