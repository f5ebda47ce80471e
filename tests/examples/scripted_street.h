#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <optional>
#include <vector>

#include "examples/world/draw.h"
#include "examples/world/street.h"
#include "frames/image.h"

namespace palisade::world {

// Changes of the picture although nothing happens on the street.
struct Nuisances {
  double noise_sigma = 2;     // levels, each frame anew
  double light_ramp = 0;      // share of light lost and regained once a minute: a cloud
  double flicker = 0;         // share by which each frame's light differs
  int shake = 0;              // pixels, each frame anew, both ways
  int rain = 0;               // streaks a frame
  std::optional<double> dim;  // at this second the light falls by a third within a fifth of a second
};

// An object that appears at `from` and moves at `speed` pixels a second. With `stays` it stands in the middle
// of the picture for so many seconds before it goes on.
inline Object passer(std::int64_t id, Kind kind, Colour colour, double from, double speed, double stays = 0) {
  Random random(std::uint64_t(id) + 77);
  Object object = random_object(random, 246 + 52 * double(id % 3), random_thing(random));
  while (object.kind != kind || object.colour != colour)
    object = random_object(random, object.baseline, random_thing(random));
  object.id = id;
  const double left = -object.width - 4.0;
  const double right = kWidth + 4.0;
  const double begin = object.faces_right ? left : right;
  const double end = object.faces_right ? right : left;
  double t = from;
  object.knots = {{t, begin}};
  if (stays > 0) {
    const double middle = (kWidth - object.width) / 2.0;
    t += std::abs(middle - begin) / speed;
    object.knots.push_back({t, middle});
    t += stays;
    object.knots.push_back({t, middle});
    t += std::abs(end - middle) / speed;
  } else {
    t += std::abs(end - begin) / speed;
  }
  object.knots.push_back({t, end});
  return object;
}

// A street on which only the script happens, with the nuisances. Depends only on script and seed.
class ScriptedStreet {
 public:
  ScriptedStreet(std::vector<Object> script, Nuisances nuisances, std::uint64_t seed, int background = 3)
      : script_(std::move(script)),
        nuisances_(nuisances),
        random_(seed),
        sprites_(assets_folder()),
        painter_(sprites_, assets_folder(),
                 Look{.background = background, .noise_sigma = nuisances.noise_sigma}, seed),
        drawn_(kFrameBytes) {}

  const std::vector<Object>& script() const { return script_; }

  // To be called in the order of time.
  Image at(double t) {
    painter_.paint(script_, t, drawn_);
    const double gain = light_at(t);
    const int dx = nuisances_.shake > 0 ? random_.below(2 * nuisances_.shake + 1) - nuisances_.shake : 0;
    const int dy = nuisances_.shake > 0 ? random_.below(2 * nuisances_.shake + 1) - nuisances_.shake : 0;
    std::vector<std::uint8_t> rgb(std::size_t(kWidth) * kHeight * 3);
    for (int y = 0; y < kHeight; ++y) {
      const int from_y = std::clamp(y + dy, 0, kHeight - 1);
      for (int x = 0; x < kWidth; ++x) {
        const int from_x = std::clamp(x + dx, 0, kWidth - 1);
        const std::uint8_t* const bgrx = &drawn_[(std::size_t(from_y) * kWidth + from_x) * 4];
        std::uint8_t* const to = &rgb[(std::size_t(y) * kWidth + x) * 3];
        for (int c = 0; c < 3; ++c) to[c] = std::uint8_t(std::min(255.0, bgrx[2 - c] * gain));
      }
    }
    for (int streak = 0; streak < nuisances_.rain; ++streak) rain_on(rgb);
    return Image(kWidth, kHeight, std::move(rgb));
  }

 private:
  double light_at(double t) {
    double gain = 1 - nuisances_.light_ramp * (0.5 - 0.5 * std::cos(2 * std::numbers::pi * t / 60));
    if (nuisances_.flicker > 0) gain *= 1 + random_.between(-nuisances_.flicker, nuisances_.flicker);
    if (nuisances_.dim) gain *= 1 - std::clamp((t - *nuisances_.dim) / 0.2, 0.0, 1.0) / 3;
    return gain;
  }

  // A bright streak, one or two pixels wide, that leans a little.
  void rain_on(std::vector<std::uint8_t>& rgb) {
    const int length = 12 + random_.below(20);
    const int width = 1 + random_.below(2);
    const double brightness = random_.between(0.3, 0.6);
    const int left = random_.below(kWidth);
    const int top = random_.below(kHeight) - length;
    for (int i = 0; i < length; ++i) {
      for (int k = 0; k < width; ++k) {
        const int x = left + i / 6 + k;
        const int y = top + i;
        if (x >= kWidth || y < 0) continue;
        std::uint8_t* const pixel = &rgb[(std::size_t(y) * kWidth + x) * 3];
        for (int c = 0; c < 3; ++c) pixel[c] = std::uint8_t(pixel[c] + brightness * (225 - pixel[c]));
      }
    }
  }

  std::vector<Object> script_;
  Nuisances nuisances_;
  Random random_;
  Sprites sprites_;
  Painter painter_;
  std::vector<std::uint8_t> drawn_;
};

}  // namespace palisade::world
