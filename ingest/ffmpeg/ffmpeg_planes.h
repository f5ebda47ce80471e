#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "ingest/ffmpeg/ffmpeg_handles.h"

namespace palisade {

// A decoded picture of somebody else's, for FFmpeg's converters.
struct Planes {
  const char* format = nullptr;  // as FFmpeg names it
  int width = 0;
  int height = 0;
  std::array<const std::uint8_t*, 4> data{};
  std::array<int, 4> strides{};
  std::optional<bool> full_range;               // nothing: the stream does not say
  std::uint8_t matrix = AVCOL_SPC_UNSPECIFIED;  // of its colours, numbered as ITU-T H.273 does
  bool interlaced = false;
  bool top_field_first = false;
};

// A copy as FFmpeg's own frame: its converters read beyond the end of rows. Throws BadPicture for a
// format that FFmpeg does not know.
Av<AVFrame> frame_of_planes(const Planes& planes);

}  // namespace palisade
