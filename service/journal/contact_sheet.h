#pragma once

#include <optional>
#include <vector>

#include "frames/image.h"
#include "service/journal/frame_codec.h"

namespace palisade {

// An event's frames beside one another, at most four a row; grey where one is gone. Throws Error where none
// is there.
Image contact_sheet(const std::vector<std::optional<EncodedFrame>>& frames);

}  // namespace palisade
