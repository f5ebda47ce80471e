#include "tasks/box_picture.h"

#include <doctest/doctest.h>

using namespace palisade;

namespace {

std::array<int, 3> pixel(const Image& image, int x, int y) {
  const auto* const at = &image.u8()[(std::size_t(y) * image.width() + x) * 3];
  return {at[0], at[1], at[2]};
}

Image black(int width, int height) {
  return {width, height, std::vector<std::uint8_t>(std::size_t(width) * height * 3)};
}

}  // namespace

TEST_CASE("a box has a frame inside its edges, and nothing else changes") {
  const Image drawn =
      with_boxes(black(40, 30), std::vector<DetectedBox>{{.label = "car", .pixels = {10, 5, 30, 25}}});
  REQUIRE(drawn.width() == 40);
  REQUIRE(drawn.height() == 30);
  const std::array<int, 3> none{};
  for (const auto& [x, y] : {std::pair{10, 5}, {29, 24}, {20, 5}, {10, 15}, {29, 15}, {20, 24}}) {
    CAPTURE(x);
    CHECK(pixel(drawn, x, y) != none);
  }
  for (const auto& [x, y] : {std::pair{9, 5}, {30, 15}, {20, 4}, {20, 25}, {20, 15}, {0, 0}}) {
    CAPTURE(x);
    CHECK(pixel(drawn, x, y) == none);
  }
}

TEST_CASE("a label has one colour, another label another") {
  const Image drawn = with_boxes(black(60, 20), std::vector<DetectedBox>{
                                                    {.label = "car", .pixels = {0, 0, 20, 20}},
                                                    {.label = "dog", .pixels = {20, 0, 40, 20}},
                                                    {.label = "car", .pixels = {40, 0, 60, 20}},
                                                });
  CHECK(pixel(drawn, 0, 0) == pixel(drawn, 40, 0));
  CHECK(pixel(drawn, 0, 0) != pixel(drawn, 20, 0));
}

TEST_CASE("what a mask holds is tinted inside the frame, and nothing beside it") {
  Mask mask{.width = 40, .height = 30, .box = {10, 5, 30, 25}, .inside = std::vector<std::uint8_t>(400)};
  mask.inside[10 * 20 + 10] = 1;  // the pixel (20, 15)
  const Image drawn = with_boxes(
      black(40, 30), std::vector<DetectedBox>{{.label = "car", .pixels = {10, 5, 30, 25}, .mask = mask}});
  CHECK(pixel(drawn, 20, 15)[0] == pixel(drawn, 10, 5)[0] / 2);
  CHECK(pixel(drawn, 21, 15) == std::array<int, 3>{});
}

TEST_CASE("what lies outside the picture is left out") {
  const Image drawn = with_boxes(
      black(10, 10), std::vector<DetectedBox>{{.pixels = {-5, -5, 100, 100}}, {.pixels = {9, 9, 9, 9}}});
  CHECK(drawn.width() == 10);
  CHECK(with_boxes(black(1, 1), std::vector<DetectedBox>{{.pixels = {0, 0, 1, 1}}}).width() == 1);
}
