#include "model/masks/run_lengths.h"

#include <vector>

namespace palisade {
namespace {

// Removes one number of maskApi.c's rleFrString() from the front; nothing where it is cut short or too long.
std::optional<std::int64_t> take_value(std::string_view& counts) {
  constexpr int kMaxCharacters = 8;  // 40 bits
  std::int64_t value = 0;
  for (int i = 0; i < kMaxCharacters && !counts.empty(); ++i) {
    const int bits = counts.front() - '0';
    if (bits < 0 || bits > 0x3f) return std::nullopt;
    counts.remove_prefix(1);
    value |= std::int64_t(bits & 0x1f) << (5 * i);
    if ((bits & 0x20) != 0) continue;
    return (bits & 0x10) != 0 ? value - (std::int64_t(1) << (5 * (i + 1))) : value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Mask> mask_of_counts(std::string_view counts, int width, int height) {
  if (width < 1 || height < 1 || std::int64_t(width) * height > kMaxMaskPixels) return std::nullopt;
  Mask mask{.width = width, .height = height, .box = {0, 0, width, height}};
  const std::int64_t pixels = std::int64_t(width) * height;
  mask.inside.resize(std::size_t(pixels));
  std::vector<std::int64_t> runs;
  std::int64_t at = 0;
  while (!counts.empty()) {
    const auto value = take_value(counts);
    if (!value) return std::nullopt;
    const std::int64_t run = *value + (runs.size() > 2 ? runs[runs.size() - 2] : 0);
    if (run < 0 || run > pixels - at) return std::nullopt;
    const bool is_inside = runs.size() % 2 == 1;
    for (std::int64_t i = at; is_inside && i < at + run; ++i)
      mask.inside[std::size_t(i % height) * std::size_t(width) + std::size_t(i / height)] = 1;
    runs.push_back(run);
    at += run;
  }
  if (at != pixels) return std::nullopt;
  return mask;
}

}  // namespace palisade
