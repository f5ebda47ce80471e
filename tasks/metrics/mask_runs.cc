#include "tasks/metrics/mask_runs.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/format.h"

namespace palisade {
namespace {

constexpr std::int64_t kMaxPixels = 1 << 28;

// A number of COCO's code from the front: five bits a character, the least first, 32 where more follow, and
// 16 in the last one where it is negative.
std::optional<std::int64_t> take_code(std::string_view& counts) {
  constexpr int kMaxCharacters = 8;
  std::int64_t value = 0;
  for (int i = 0; i < kMaxCharacters && !counts.empty(); ++i) {
    const int bits = counts.front() - '0';
    if (bits < 0 || bits > 0x3f) return std::nullopt;
    counts.remove_prefix(1);
    value |= std::int64_t(bits & 0x1f) << (5 * i);
    if ((bits & 0x20) == 0) return (bits & 0x10) != 0 ? value - (std::int64_t(1) << (5 * (i + 1))) : value;
  }
  return std::nullopt;
}

// How many pixels both have inside.
std::uint64_t common_pixels(const MaskRuns& one, const MaskRuns& other) {
  std::uint64_t common = 0;
  std::size_t at[2] = {};
  std::uint64_t left[2] = {};
  const MaskRuns* const masks[2] = {&one, &other};
  while (true) {
    for (int k = 0; k < 2; ++k) {
      while (left[k] == 0) {
        if (at[k] == masks[k]->runs.size()) return common;
        left[k] = masks[k]->runs[at[k]++];
      }
    }
    const std::uint64_t step = std::min(left[0], left[1]);
    if (at[0] % 2 == 0 && at[1] % 2 == 0) common += step;  // the run before the next one is inside
    left[0] -= step;
    left[1] -= step;
  }
}

}  // namespace

void require_mask_size(int height, int width) {
  if (height < 1 || width < 1 || std::int64_t(height) * width > kMaxPixels)
    throw Error(format("a mask of {} x {} pixels: at most {} in all", width, height, kMaxPixels));
}

MaskRuns read_mask_runs(std::string_view counts, int height, int width) {
  const std::int64_t pixels = std::int64_t(height) * width;
  require_mask_size(height, width);
  MaskRuns mask{.height = height, .width = width};
  std::int64_t sum = 0;
  while (!counts.empty()) {
    const auto code = take_code(counts);
    if (!code) throw Error("\"counts\" of a mask is no run-length code of COCO");
    const std::size_t count = mask.runs.size();
    const std::int64_t run = *code + (count > 2 ? std::int64_t(mask.runs[count - 2]) : 0);
    if (run < 0 || run > pixels - sum)
      throw Error(format("a mask of another size than {} x {} pixels", width, height));
    mask.runs.push_back(std::uint32_t(run));
    sum += run;
  }
  if (sum != pixels) throw Error(format("a mask of another size than {} x {} pixels", width, height));
  return mask;
}

std::string counts_of(const MaskRuns& mask) {
  std::string counts;
  for (std::size_t i = 0; i < mask.runs.size(); ++i) {
    std::int64_t value = mask.runs[i];
    if (i > 2) value -= mask.runs[i - 2];
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

std::uint64_t area_of(const MaskRuns& mask) {
  std::uint64_t area = 0;
  for (std::size_t i = 1; i < mask.runs.size(); i += 2) area += mask.runs[i];
  return area;
}

std::array<double, 4> box_of(const MaskRuns& mask) {
  std::uint32_t x_min = std::uint32_t(mask.width), x_max = 0, y_min = std::uint32_t(mask.height), y_max = 0;
  std::uint32_t at = 0;
  const auto height = std::uint32_t(mask.height);
  for (std::size_t i = 0; i < mask.runs.size(); ++i) {
    const std::uint32_t end = at + mask.runs[i];
    if (i % 2 == 1 && end > at) {
      const std::uint32_t first = at / height, last = (end - 1) / height;
      x_min = std::min(x_min, first);
      x_max = std::max(x_max, last + 1);
      y_min = std::min(y_min, first == last ? at % height : 0);
      y_max = std::max(y_max, first == last ? (end - 1) % height + 1 : height);
    }
    at = end;
  }
  if (x_max == 0) return {};
  return {double(x_min), double(y_min), double(x_max - x_min), double(y_max - y_min)};
}

double mask_overlap(const MaskRuns& found, const MaskRuns& labelled, bool crowd) {
  const auto common = double(common_pixels(found, labelled));
  const auto area = double(area_of(found));
  const double all = crowd ? area : area + double(area_of(labelled)) - common;
  return common > 0 ? common / all : 0;
}

}  // namespace palisade
