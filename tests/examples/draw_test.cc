#include "examples/world/draw.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>

#include "examples/world/png.h"
#include "tests/examples/golden_world.h"

using namespace palisade::world;

namespace {

std::vector<std::uint8_t> painted(const Look& look, std::span<const Object> objects, std::uint64_t seed = 1) {
  const Sprites sprites(assets_folder());
  std::vector<std::uint8_t> frame(kFrameBytes);
  Painter(sprites, assets_folder(), look, seed).paint(objects, 0, frame);
  return frame;
}

}  // namespace

TEST_CASE("a still is drawn as the demo world's own pictures are, to two levels of 255") {
  long differing = 0;
  long total = 0;
  double sum = 0;
  int largest = 0;
  long by_two = 0;
  for (const auto& still : golden("stills.json")) {
    const std::vector<std::uint8_t> ours = painted(look_from_json(still), objects_of(still["objects"]));
    const Pixels theirs = read_png(golden_world() / still["file"].get<std::string>(), 3);
    REQUIRE(theirs.width == kWidth);
    REQUIRE(theirs.height == kHeight);
    int largest_here = 0;
    for (std::size_t i = 0; i < std::size_t{kWidth} * kHeight; ++i) {
      for (std::size_t c = 0; c < 3; ++c) {
        const int difference = std::abs(ours[4 * i + c] - theirs.samples[3 * i + 2 - c]);
        largest_here = std::max(largest_here, difference);
        differing += difference != 0 ? 1 : 0;
        by_two += difference > 1 ? 1 : 0;
        sum += difference;
        ++total;
      }
    }
    CAPTURE(still["file"]);
    CHECK(largest_here <= 2);
    largest = std::max(largest, largest_here);
  }
  MESSAGE("largest difference " << largest << ", mean " << sum / static_cast<double>(total)
                                << ", samples that differ by two " << by_two << ", at all " << differing
                                << " of " << total);
  CHECK(sum / static_cast<double>(total) < 0.02);
}

TEST_CASE("camera noise has the deviation that the look states, and no mean") {
  Look look;
  const std::vector<std::uint8_t> quiet = painted(look, {});
  look.noise_sigma = 3;
  const std::uint64_t seed = 11;
  CAPTURE(seed);
  const std::vector<std::uint8_t> noisy = painted(look, {}, seed);
  double sum = 0;
  double squares = 0;
  double count = 0;
  for (std::size_t i = 0; i < quiet.size(); ++i) {
    if (i % 4 == 3 || quiet[i] < 20 || quiet[i] > 235) continue;  // clipped levels have less noise
    const double difference = noisy[i] - quiet[i];
    sum += difference;
    squares += difference * difference;
    ++count;
  }
  REQUIRE(count > 100000);
  CHECK(std::abs(sum / count) < 0.05);
  CHECK(std::sqrt(squares / count) == doctest::Approx(3).epsilon(0.03));
}
