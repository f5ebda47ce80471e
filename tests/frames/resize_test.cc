#include "frames/resize.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include "base/json.h"
#include "ingest/pictures/picture.h"

using namespace palisade;

namespace {

const std::filesystem::path kGolden =
    std::filesystem::path(PALISADE_SOURCE_DIR) / "tests/golden/reference/resize";

Image ramp(int width, int height) {
  std::vector<std::uint8_t> rgb;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x)
      rgb.insert(rgb.end(), {std::uint8_t(x * 7), std::uint8_t(y * 5), std::uint8_t(x + y)});
  }
  return Image(width, height, std::move(rgb));
}

}  // namespace

TEST_CASE("hf-bicubic and hf-bilinear equal Pillow to the last bit") {
  std::ifstream file(kGolden / "cases.json");
  const Json cases = Json::parse(file);
  REQUIRE(cases.size() == 12);
  int compared = 0;
  for (const Json& one : cases) {
    const Image input = read_picture(kGolden / one["input"].get<std::string>());
    for (const auto& [filter, preset] :
         {std::pair{"bicubic", ResizePreset::kHfBicubic}, std::pair{"bilinear", ResizePreset::kHfBilinear}}) {
      if (one[filter].is_null()) continue;
      const Image expected = read_picture(kGolden / one[filter].get<std::string>());
      const Image actual = resize(input, one["out_width"], one["out_height"], preset);
      CHECK_MESSAGE(std::ranges::equal(expected.u8(), actual.u8()), one["input"].get<std::string>()
                                                                        << " " << filter);
      ++compared;
    }
  }
  CHECK(compared == 14);
}

TEST_CASE("an image of the asked size is handed on, not copied") {
  const Image image = ramp(8, 8);
  CHECK(resize(image, 8, 8, ResizePreset::kHfBicubic).identity() == image.identity());
}

TEST_CASE("bv-bilinear samples at half-pixel centres and cuts fractions off, bv-video-float keeps them") {
  // Two pixels, 0 and 255, enlarged to four, whose centres are at -0.25, 0.25, 0.75 and 1.25 of the input's
  // pixels.
  const Image image(2, 1, std::vector<std::uint8_t>{0, 0, 0, 255, 255, 255});
  const Image exact = resize(image, 4, 1, ResizePreset::kBvVideoFloat);
  REQUIRE(exact.is_float());
  CHECK(exact.f32()[0] == doctest::Approx(0));
  CHECK(exact.f32()[3] == doctest::Approx(63.75));
  CHECK(exact.f32()[6] == doctest::Approx(191.25));
  CHECK(exact.f32()[9] == doctest::Approx(255));
  const Image cut = resize(image, 4, 1, ResizePreset::kBvBilinear);
  CHECK(cut.u8()[3] == 63);
  CHECK(cut.u8()[6] == 191);
}

TEST_CASE("without antialias a shrunk picture skips pixels, with it every pixel counts") {
  // Eight columns, one of them bright, reduced to one pixel: the filter without antialiasing reads only
  // columns 3 and 4.
  std::vector<std::uint8_t> rgb(8 * 3, 0);
  for (int channel = 0; channel < 3; ++channel) rgb[channel] = 240;
  const Image image(8, 1, std::move(rgb));
  CHECK(resize(image, 1, 1, ResizePreset::kBvBilinear).u8()[0] == 0);
  // The triangle filter has radius 8 around 4: the weight of column 0 is 1 - 3.5/8, of a sum of 6.
  CHECK(resize(image, 1, 1, ResizePreset::kBvBilinearAa).u8()[0] == int(240 * (1 - 3.5 / 8) / 6));
}

TEST_CASE("every preset has a name that leads back to it") {
  for (const char* name : {"hf-bicubic", "hf-bilinear", "bv-bilinear", "bv-bilinear-aa", "bv-video-float"}) {
    REQUIRE(resize_preset_of(name));
    CHECK(name_of(*resize_preset_of(name)) == name);
  }
  CHECK_FALSE(resize_preset_of("nearest"));
}

TEST_CASE("extreme shapes give the asked size") {
  for (const auto preset : {ResizePreset::kHfBicubic, ResizePreset::kHfBilinear, ResizePreset::kBvBilinear,
                            ResizePreset::kBvBilinearAa, ResizePreset::kBvVideoFloat}) {
    for (const auto& [width, height] : {std::pair{1, 1}, {1, 3000}, {3000, 1}, {7, 5}}) {
      const Image resized = resize(ramp(width, height), 56, 56, preset);
      CHECK(resized.width() == 56);
      CHECK(resized.height() == 56);
    }
  }
}
