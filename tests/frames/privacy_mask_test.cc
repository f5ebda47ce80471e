#include "frames/privacy_mask.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "frames/resize.h"

using namespace palisade;

namespace {

Image white(int width, int height) {
  return Image(width, height, std::vector<std::uint8_t>(std::size_t(width) * height * 3, 255));
}

}  // namespace

TEST_CASE("masked pixels are black, all others as they were") {
  PrivacyMask mask({box_polygon({0.5, 0}, {1, 1})});
  for (const int width : {8, 12, 8}) {
    const Image picture = mask.painted(white(width, 2));
    for (int x = 0; x < width; ++x) CHECK(picture.u8()[std::size_t(x) * 3] == (x < width / 2 ? 255 : 0));
  }
}

TEST_CASE("without masks a picture is not even copied") {
  const Image picture = white(4, 4);
  CHECK(PrivacyMask({}).painted(picture).identity() == picture.identity());
}

TEST_CASE("no resize tells two pictures apart that differ under a mask alone") {
  const std::vector<Polygon> polygons{box_polygon({0.31, 0.22}, {0.52, 0.47}),
                                      {{0.7, 0.6}, {0.93, 0.7}, {0.77, 0.9}}};
  const int width = 61;
  const int height = 47;
  const auto hidden = touched_pixels(polygons, width, height);
  std::vector<std::uint8_t> secret(std::size_t(width) * height * 3, 90);
  for (std::size_t i = 0; i < hidden.size(); ++i) {
    if (hidden[i]) std::fill_n(secret.begin() + std::ptrdiff_t(3 * i), 3, std::uint8_t(255 - i % 200));
  }
  const Image plain(width, height, std::vector<std::uint8_t>(secret.size(), 90));
  const Image revealing(width, height, std::move(secret));
  PrivacyMask mask(polygons);
  for (const ResizePreset preset :
       {ResizePreset::kHfBicubic, ResizePreset::kBvBilinear, ResizePreset::kBvVideoFloat}) {
    CHECK(std::ranges::equal(resize(mask.painted(plain), 24, 24, preset).bytes(),
                             resize(mask.painted(revealing), 24, 24, preset).bytes()));
  }
}
