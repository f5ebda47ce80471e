#include "examples/world/model_painter.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <string>

#include "examples/world/draw.h"
#include "examples/world/still.h"
#include "examples/world/street.h"
#include "frames/resize_pillow.h"

using namespace palisade;
using namespace palisade::world;

namespace {

constexpr int kSize = 64;

// The reference: the camera's picture without noise, resized.
Image painted_in_full(const Sprites& sprites, Look look, std::span<const Object> objects, double t) {
  std::vector<std::uint8_t> frame(kFrameBytes);
  look.noise_sigma = 0;
  Painter(sprites, assets_folder(), look, 1).paint(objects, t, frame);
  std::vector<std::uint8_t> rgb;
  for (std::size_t i = 0; i < frame.size(); i += 4)
    rgb.insert(rgb.end(), {frame[i + 2], frame[i + 1], frame[i]});
  return resize_as_pillow(Image(kWidth, kHeight, std::move(rgb)), kSize, kSize, PillowFilter::kBicubic);
}

// The differences between the two ways of drawing the same scenes.
struct Comparison {
  long samples = 0;
  long far_apart = 0;  // by more than 12 levels
  int largest = 0;
  double sum = 0;
  double squares = 0;
  void add(const Image& a, const Image& b) {
    REQUIRE(a.u8().size() == b.u8().size());
    for (std::size_t i = 0; i < a.u8().size(); ++i) {
      const int difference = std::abs(a.u8()[i] - b.u8()[i]);
      ++samples;
      far_apart += difference > 12 ? 1 : 0;
      largest = std::max(largest, difference);
      sum += difference;
      squares += double(difference) * difference;
    }
  }
  double mean() const { return sum / static_cast<double>(samples); }
  double deviation() const { return std::sqrt(squares / static_cast<double>(samples)); }
};

void check(const Comparison& comparison, const std::string& what) {
  const double share = static_cast<double>(comparison.far_apart) / static_cast<double>(comparison.samples);
  MESSAGE(what << ": mean difference " << comparison.mean() << ", largest " << comparison.largest
               << ", share above 12 levels " << share);
  CHECK(comparison.mean() < 1.0);
  CHECK(share < 0.001);
}

}  // namespace

TEST_CASE("stills drawn at the model's size are the camera's pictures resized, to a level in the mean") {
  const Sprites sprites(assets_folder());
  ModelPainter painter(sprites, assets_folder(), kSize);
  const std::uint64_t seed = 21;
  CAPTURE(seed);
  Random random(seed);
  Comparison comparison;
  for (int i = 0; i < 60; ++i) {
    Look look = random_look(random);
    look.noise_sigma = 0;
    const std::vector<Object> objects = random_still(random);
    painter.begin(look, false, random);
    comparison.add(painter.paint(objects, 0), painted_in_full(sprites, look, objects, 0));
  }
  check(comparison, "stills");
}

TEST_CASE("pictures of a street drawn at the model's size are the camera's resized, to a level in the mean") {
  const Sprites sprites(assets_folder());
  ModelPainter painter(sprites, assets_folder(), kSize);
  Comparison comparison;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Look look = random_look(random);
    look.noise_sigma = 0;
    const std::vector<Object> objects = Street(seed, 0).advance(20);
    painter.begin(look, false, random);
    for (double t = 10; t < 20; t += 1.3)
      comparison.add(painter.paint(objects, t), painted_in_full(sprites, look, objects, t));
  }
  check(comparison, "a street");
}

TEST_CASE("camera noise at the model's size is what the filter leaves of it") {
  const Sprites sprites(assets_folder());
  ModelPainter painter(sprites, assets_folder(), kSize);
  Random random(5);
  Look look;
  look.gain = {0.6, 0.6, 0.6};  // nothing is clipped
  Comparison ours;
  Comparison camera;
  std::vector<std::uint8_t> frame(kFrameBytes);
  painter.begin(look, false, random);
  const Image quiet = painter.paint({}, 0);
  look.noise_sigma = 8;  // more than any camera's, so that rounding counts little
  painter.begin(look, false, random);
  Painter full(sprites, assets_folder(), look, 3);
  for (int i = 0; i < 20; ++i) {
    full.paint({}, 0, frame);
    std::vector<std::uint8_t> rgb;
    for (std::size_t k = 0; k < frame.size(); k += 4)
      rgb.insert(rgb.end(), {frame[k + 2], frame[k + 1], frame[k]});
    camera.add(resize_as_pillow(Image(kWidth, kHeight, std::move(rgb)), kSize, kSize, PillowFilter::kBicubic),
               quiet);
    ours.add(painter.paint({}, 0), quiet);
  }
  CAPTURE(ours.deviation());
  CAPTURE(camera.deviation());
  CHECK(std::abs(ours.deviation() / camera.deviation() - 1) < 0.05);
}

TEST_CASE("a degraded scene differs a little, and no other scene after it") {
  const Sprites sprites(assets_folder());
  ModelPainter painter(sprites, assets_folder(), kSize);
  Random random(9);
  const Look look;
  const std::vector<Object> objects = random_still(random);
  painter.begin(look, false, random);
  const Image clean = painter.paint(objects, 0);
  Comparison degraded;
  for (int i = 0; i < 50; ++i) {
    painter.begin(look, true, random);
    degraded.add(painter.paint(objects, 0), clean);
  }
  MESSAGE("degraded by " << degraded.mean() << " levels in the mean, " << degraded.largest << " at most");
  CHECK(degraded.mean() > 0.5);
  CHECK(degraded.mean() < 4);
  painter.begin(look, false, random);
  Comparison again;
  again.add(painter.paint(objects, 0), clean);
  CHECK(again.largest == 0);
}
