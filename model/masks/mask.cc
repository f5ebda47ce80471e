#include "model/masks/mask.h"

#include <algorithm>

#include "frames/resize_pillow.h"
#include "model/masks/mask_decoder.h"

namespace palisade {
namespace {

// Lengths of runs down the columns, of what is outside and inside in turn.
std::vector<std::int64_t> runs_of(const Mask& mask) {
  const auto [x_min, y_min, x_max, y_max] = mask.box;
  std::vector<std::int64_t> runs = {0};
  bool inside = false;
  const auto add = [&](bool is_inside, std::int64_t count) {
    if (count == 0) return;
    if (is_inside != inside) {
      runs.push_back(0);
      inside = is_inside;
    }
    runs.back() += count;
  };
  add(false, std::int64_t(x_min) * mask.height);
  for (int x = x_min; x < x_max; ++x) {
    add(false, y_min);
    for (int y = y_min; y < y_max; ++y) add(mask.holds(x, y), 1);
    add(false, mask.height - y_max);
  }
  add(false, std::int64_t(mask.width - x_max) * mask.height);
  return runs;
}

}  // namespace

Mask mask_in_box(std::span<const float> decoded, int width, int height, const std::array<int, 4>& box) {
  constexpr int kSide = MaskDecoder::kSide;
  const auto [x_min, y_min, x_max, y_max] = box;
  Mask mask{.width = width, .height = height, .box = box};
  if (x_max <= x_min || y_max <= y_min) {
    mask.box = {x_min, y_min, x_min, y_min};
    return mask;
  }
  const std::vector<float> stretched =
      resize_plane_as_pillow(decoded, kSide, kSide, x_max - x_min, y_max - y_min, PillowFilter::kBilinear);
  mask.inside.resize(stretched.size());
  std::ranges::transform(stretched, mask.inside.begin(), [](float logit) { return logit > 0 ? 1 : 0; });
  return mask;
}

// maskApi.c, rleToString(): from the fourth run on what it differs from the run two before it; five bits a
// character, the least first, and a bit for more to come.
std::string coco_counts(const Mask& mask) {
  const std::vector<std::int64_t> runs = runs_of(mask);
  std::string counts;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    std::int64_t value = i > 2 ? runs[i] - runs[i - 2] : runs[i];
    for (bool more = true; more;) {
      int bits = int(value & 0x1f);
      value >>= 5;
      more = (bits & 0x10) != 0 ? value != -1 : value != 0;
      if (more) bits |= 0x20;
      counts += char(bits + '0');
    }
  }
  return counts;
}

Image picture_of(const Mask& mask) {
  std::vector<std::uint8_t> rgb;
  rgb.reserve(std::size_t(mask.width) * std::size_t(mask.height) * 3);
  for (int y = 0; y < mask.height; ++y) {
    for (int x = 0; x < mask.width; ++x) rgb.insert(rgb.end(), 3, mask.holds(x, y) ? 255 : 0);
  }
  return {mask.width, mask.height, std::move(rgb)};
}

}  // namespace palisade
