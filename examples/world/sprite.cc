#include "examples/world/sprite.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "examples/world/scene.h"

namespace palisade::world {
namespace {

Sprite load(const std::filesystem::path& assets, Kind kind) {
  const std::string name(facts(kind).name);
  const Pixels details = read_png(assets / (name + ".details.png"), 4);
  const Pixels tint = read_png(assets / (name + ".tint.png"), 2);
  if (details.width != tint.width || details.height != tint.height)
    throw std::runtime_error("the two pictures of a " + name + " differ in size");
  Sprite sprite{details.width, details.height, {}, {}, {}};
  const auto size = static_cast<std::size_t>(sprite.width) * sprite.height;
  for (auto& channel : sprite.fixed) channel.resize(size);
  sprite.tinted.resize(size);
  sprite.cover.resize(size);
  for (std::size_t i = 0; i < size; ++i) {
    const float details_alpha = details.samples[4 * i + 3] / 255.0f;
    const float tint_grey = tint.samples[2 * i] / 255.0f;
    const float tint_alpha = tint.samples[2 * i + 1] / 255.0f;
    for (std::size_t c = 0; c < 3; ++c)
      sprite.fixed[c][i] = details.samples[4 * i + c] / 255.0f * details_alpha;
    sprite.tinted[i] = (1 - details_alpha) * tint_alpha * tint_grey;
    sprite.cover[i] = 1 - (1 - details_alpha) * (1 - tint_alpha);
  }
  return sprite;
}

// One axis of Pillow's BOX filter: the source pixels first..last whose centres lie in the target pixel, with
// equal weights.
struct Span {
  int first;
  int last;
};
std::vector<Span> box_spans(int from, int to) {
  const double scale = static_cast<double>(from) / to;
  const double support = 0.5 * std::max(scale, 1.0);
  std::vector<Span> spans(to);
  for (int i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * scale;
    spans[i].first = std::max(0, static_cast<int>(centre - support + 0.5));
    spans[i].last = std::min(from, static_cast<int>(centre + support + 0.5));
    // The filter's support includes its upper end and not its lower one.
    if ((spans[i].first - centre + 0.5) / std::max(scale, 1.0) <= -0.5) ++spans[i].first;
  }
  return spans;
}

std::vector<float> box_scaled(const std::vector<float>& plane, int from_width, int from_height, int width,
                              int height) {
  const std::vector<Span> columns = box_spans(from_width, width);
  const std::vector<Span> rows = box_spans(from_height, height);
  std::vector<float> narrow(static_cast<std::size_t>(width) * from_height);  // [from_height, width]
  for (int y = 0; y < from_height; ++y) {
    for (int x = 0; x < width; ++x) {
      double sum = 0;
      for (int i = columns[x].first; i < columns[x].last; ++i) sum += plane[std::size_t(y) * from_width + i];
      narrow[std::size_t(y) * width + x] = static_cast<float>(sum / (columns[x].last - columns[x].first));
    }
  }
  std::vector<float> scaled(static_cast<std::size_t>(width) * height);  // [height, width]
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      double sum = 0;
      for (int i = rows[y].first; i < rows[y].last; ++i) sum += narrow[std::size_t(i) * width + x];
      scaled[std::size_t(y) * width + x] = static_cast<float>(sum / (rows[y].last - rows[y].first));
    }
  }
  return scaled;
}

}  // namespace

Sprites::Sprites(const std::filesystem::path& assets) {
  for (int i = 0; i < kKinds; ++i) sprites_[i] = load(assets, static_cast<Kind>(i));
}

Sprite Sprites::scaled(Kind kind, int width, int height, bool faces_right) const {
  const Sprite& full = sprites_[static_cast<std::size_t>(kind)];
  const auto fit = [&](const std::vector<float>& plane) {
    std::vector<float> scaled = box_scaled(plane, full.width, full.height, width, height);
    if (!faces_right) {
      for (auto row = scaled.begin(); row != scaled.end(); row += width) std::reverse(row, row + width);
    }
    return scaled;
  };
  return Sprite{width,
                height,
                {fit(full.fixed[0]), fit(full.fixed[1]), fit(full.fixed[2])},
                fit(full.tinted),
                fit(full.cover)};
}

Pixels read_background(const std::filesystem::path& assets, int number) {
  const std::string digits = std::to_string(number);
  const std::string name = "background_" + std::string(digits.size() < 2 ? "0" : "") + digits + ".png";
  Pixels pixels = read_png(assets / name, 3);
  if (pixels.width != kWidth || pixels.height != kHeight)
    throw std::runtime_error(name + " is not of the camera's size");
  return pixels;
}

std::filesystem::path assets_folder() {
  const char* const named = std::getenv("PALISADE_WORLD_ASSETS");
  return named != nullptr && *named != '\0' ? named : PALISADE_WORLD_ASSETS;
}

}  // namespace palisade::world
