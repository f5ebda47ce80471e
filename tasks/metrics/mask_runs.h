#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace palisade {

// A mask in COCO's run-length code: runs down the columns of the picture, outside first. [height, width]
struct MaskRuns {
  int height = 0;
  int width = 0;
  std::vector<std::uint32_t> runs;  // their sum is height x width

  bool operator==(const MaskRuns&) const = default;
};

// Throws Error where a picture of that size has no pixels or too many.
void require_mask_size(int height, int width);

// Reads COCO's "counts". Throws Error where they are none or do not fill the picture.
MaskRuns read_mask_runs(std::string_view counts, int height, int width);
std::string counts_of(const MaskRuns& mask);
std::uint64_t area_of(const MaskRuns& mask);
std::array<double, 4> box_of(const MaskRuns& mask);  // x, y, width, height; zeros where it is empty

// Intersection over union, or over the found one's area where the other is a crowd; 0 where both are empty.
// The two have one size.
double mask_overlap(const MaskRuns& found, const MaskRuns& labelled, bool crowd);

}  // namespace palisade
