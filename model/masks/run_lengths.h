#pragma once

#include <optional>
#include <string_view>

#include "model/masks/mask.h"

namespace palisade {

// The mask of COCO's run-length code, the inverse of coco_counts(); its box is the whole picture. Nothing
// where the code is none or does not fill a picture of that size, which is at most kMaxMaskPixels. Accepts
// any text.
std::optional<Mask> mask_of_counts(std::string_view counts, int width, int height);
inline constexpr std::int64_t kMaxMaskPixels = 1 << 28;

}  // namespace palisade
