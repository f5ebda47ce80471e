#include "frames/orientation.h"

#include <doctest/doctest.h>

#include <array>
#include <utility>
#include <vector>

namespace palisade {
namespace {

// An image whose pixels encode their coordinates.
Image numbered(int width, int height) {
  std::vector<std::uint8_t> rgb;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (const int sample : {x, y, 7}) rgb.push_back(std::uint8_t(sample));
    }
  }
  return Image(width, height, std::move(rgb));
}

// The corners of the stored picture that appear at the upper left and upper right of the upright one, derived
// from the EXIF standard's description by row 0 and column 0.
struct Corners {
  Orientation orientation;
  bool left_x, left_y;  // of the stored picture: false the first, true the last column or row
  bool right_x, right_y;
};
constexpr std::array<Corners, 8> kCorners = {{
    {Orientation::kUpright, false, false, true, false},
    {Orientation::kMirror, true, false, false, false},
    {Orientation::kHalfTurn, true, true, false, true},
    {Orientation::kFlip, false, true, true, true},
    {Orientation::kTranspose, false, false, false, true},
    {Orientation::kTurnRight, false, true, false, false},
    {Orientation::kTransverse, true, true, true, false},
    {Orientation::kTurnLeft, true, false, true, true},
}};

TEST_CASE("each of the eight orientations puts every pixel where it belongs, whatever the size") {
  for (const auto& [width, height] : {std::pair(3, 2), {1, 1}, {1, 70}, {70, 1}, {65, 33}, {32, 64}}) {
    const Image stored = numbered(width, height);
    for (const Corners& corners : kCorners) {
      CAPTURE(int(corners.orientation));
      const Image seen = upright(stored, corners.orientation);
      const bool lies = int(corners.orientation) > 4;
      REQUIRE(seen.width() == (lies ? height : width));
      REQUIRE(seen.height() == (lies ? width : height));
      const auto at = [&](int x, int y, int sample) {
        return int(seen.u8()[std::size_t(3 * (y * seen.width() + x) + sample)]);
      };
      CHECK(at(0, 0, 0) == (corners.left_x ? width - 1 : 0));
      CHECK(at(0, 0, 1) == (corners.left_y ? height - 1 : 0));
      CHECK(at(seen.width() - 1, 0, 0) == (corners.right_x ? width - 1 : 0));
      CHECK(at(seen.width() - 1, 0, 1) == (corners.right_y ? height - 1 : 0));
      // The mapping is linear, so if the corners are right, all pixels are.
      for (int y = 0; y < seen.height(); ++y) {
        for (int x = 0; x < seen.width(); ++x) {
          const int along = lies ? y : x;
          const int across = lies ? x : y;
          CHECK(at(x, y, 0) == (corners.left_x ? width - 1 - along : along));
          CHECK(at(x, y, 1) == (corners.left_y ? height - 1 - across : across));
          CHECK(at(x, y, 2) == 7);
        }
      }
    }
  }
}

TEST_CASE("a picture that stands upright is not copied") {
  const Image stored = numbered(4, 3);
  CHECK(upright(stored, Orientation::kUpright).identity() == stored.identity());
}

}  // namespace
}  // namespace palisade
