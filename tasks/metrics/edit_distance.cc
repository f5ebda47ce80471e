#include "tasks/metrics/edit_distance.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "tasks/metrics/python_text.h"

namespace palisade {
namespace {

constexpr std::size_t kBits = 64;

// Where a character stands in 64 neighbouring places.
struct BlockBits {
  std::size_t block = 0;
  std::uint64_t bits = 0;
};

// A column of the table of distances, as bits of the differences between neighbouring rows (Myers, "A fast
// bit-vector algorithm for approximate string matching", 1999; blocks after Hyyro, 2003).
struct ColumnBlock {
  std::uint64_t more = ~std::uint64_t(0);  // one more than the row above
  std::uint64_t less = 0;

  // Steps over one character; `carry` is the difference of the row above the block, -1 to 1, and then that of
  // the row of `last`.
  void step(std::uint64_t equal, std::uint64_t last, int& carry) {
    const std::uint64_t vertical = equal | less;
    if (carry < 0) equal |= 1;
    const std::uint64_t horizontal = (((equal & more) + more) ^ more) | equal;
    std::uint64_t up = less | ~(horizontal | more);
    std::uint64_t down = more & horizontal;
    const int below = int((up & last) != 0) - int((down & last) != 0);
    up = up << 1 | std::uint64_t(carry > 0);
    down = down << 1 | std::uint64_t(carry < 0);
    more = down | ~(vertical | up);
    less = up & vertical;
    carry = below;
  }
};

}  // namespace

std::size_t edit_distance(std::u32string_view one, std::u32string_view other) {
  if (one.empty() || other.empty()) return one.size() + other.size();
  const std::size_t count = (one.size() + kBits - 1) / kBits;
  std::unordered_map<char32_t, std::vector<BlockBits>> places;  // of each character
  for (std::size_t i = 0; i < one.size(); ++i) {
    std::vector<BlockBits>& blocks = places[one[i]];
    if (blocks.empty() || blocks.back().block != i / kBits) blocks.push_back({i / kBits, 0});
    blocks.back().bits |= std::uint64_t(1) << i % kBits;
  }
  const std::vector<BlockBits> nowhere;
  std::vector<ColumnBlock> column(count);
  std::size_t distance = one.size();
  for (const char32_t point : other) {
    const auto found = places.find(point);
    const std::vector<BlockBits>& blocks = found == places.end() ? nowhere : found->second;
    auto next = blocks.begin();
    int carry = 1;
    for (std::size_t b = 0; b < count; ++b) {
      const std::size_t last = b + 1 == count ? (one.size() - 1) % kBits : kBits - 1;
      const std::uint64_t equal = next != blocks.end() && next->block == b ? (next++)->bits : 0;
      column[b].step(equal, std::uint64_t(1) << last, carry);
    }
    distance += std::size_t(carry);
  }
  return distance;
}

double anls(std::string_view prediction, std::string_view target) {
  if (target.empty()) return prediction.empty() ? 1 : 0;
  const std::u32string one = code_points_of(prediction);
  const std::u32string other = code_points_of(target);
  const std::size_t longer = std::max(one.size(), other.size());
  const double distance = double(edit_distance(one, other)) / double(longer);
  return distance < 0.5 ? 1 - distance : 0;
}

}  // namespace palisade
