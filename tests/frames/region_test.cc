#include "frames/region.h"

#include <doctest/doctest.h>

#include <random>

using namespace palisade;

namespace {

// Draws a mask as text, a line for each row of pixels.
std::vector<std::string> drawn(std::vector<Polygon> polygons, int width, int height) {
  const auto pixels = touched_pixels(polygons, width, height);
  std::vector<std::string> rows;
  for (int y = 0; y < height; ++y) {
    rows.emplace_back();
    for (int x = 0; x < width; ++x) rows.back() += pixels[std::size_t(y) * width + x] ? '#' : '.';
  }
  return rows;
}

}  // namespace

TEST_CASE("a box touches whole pixels, those that it covers in part too") {
  CHECK(drawn({box_polygon({0.25, 0.3}, {0.6, 0.45})}, 8, 4) ==
        std::vector<std::string>{"........", "..###...", "........", "........"});
}

TEST_CASE("a triangle touches every pixel on its edges") {
  CHECK(drawn({{{0, 0}, {0.9, 0}, {0, 0.9}}}, 4, 4) ==
        std::vector<std::string>{"####", "###.", "##..", "#..."});
}

TEST_CASE("an edge that crosses another leaves no hole") {
  const Polygon star{{0.5, 0}, {0.8, 1}, {0, 0.4}, {1, 0.4}, {0.2, 1}};
  CHECK(drawn({star}, 21, 21)[10][10] == '#');
}

TEST_CASE("the whole picture and what lies outside are no trouble") {
  for (const std::string& row : drawn({box_polygon({0, 0}, {1, 1})}, 7, 5)) CHECK(row == "#######");
  for (const std::string& row : drawn({box_polygon({-2, -2}, {3, 3})}, 7, 5)) CHECK(row == "#######");
  for (const std::string& row : drawn({box_polygon({2, 2}, {3, 3})}, 7, 5)) CHECK(row == ".......");
  for (const std::string& row : drawn({}, 7, 5)) CHECK(row == ".......");
}

TEST_CASE("no point of a polygon lies in a pixel that is not touched") {
  const unsigned seed = 20;
  CAPTURE(seed);
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> unit(-0.1, 1.1);
  for (int round = 0; round < 40; ++round) {
    // The points of a triangle are the weighted means of its corners.
    const Polygon corners{
        {unit(random), unit(random)}, {unit(random), unit(random)}, {unit(random), unit(random)}};
    const int width = 31;
    const int height = 17;
    const auto pixels = touched_pixels({&corners, 1}, width, height);
    for (int i = 0; i < 2000; ++i) {
      double a = std::abs(unit(random)), b = std::abs(unit(random)), c = std::abs(unit(random));
      const double sum = a + b + c;
      a /= sum, b /= sum, c /= sum;
      const double x = (a * corners[0].x + b * corners[1].x + c * corners[2].x) * width;
      const double y = (a * corners[0].y + b * corners[1].y + c * corners[2].y) * height;
      if (x < 0 || y < 0 || x >= width || y >= height) continue;
      CHECK(pixels[std::size_t(y) * width + std::size_t(x)] == 1);
    }
  }
}
