#include "frames/view.h"

#include <doctest/doctest.h>

using namespace palisade;

TEST_CASE("a view keeps the camera's aspect, is never enlarged, and fits whatever the camera's shape") {
  const auto size_of = [](int width, int height) {
    const Image view = view_of(
        Image(width, height, std::vector<std::uint8_t>(std::size_t(width) * std::size_t(height) * 3)));
    return std::pair(view.width(), view.height());
  };
  CHECK(size_of(1920, 1080) == std::pair(640, 360));
  CHECK(size_of(1080, 1920) == std::pair(640, 1138));
  CHECK(size_of(320, 240) == std::pair(320, 240));
  CHECK(size_of(641, 3) == std::pair(640, 3));
  CHECK(size_of(16'384, 1) == std::pair(640, 1));
  CHECK(size_of(2, 16'384) == std::pair(1, 1280));
}
