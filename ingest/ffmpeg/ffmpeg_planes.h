#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "ingest/ffmpeg/ffmpeg_handles.h"

namespace palisade {

// A decoded picture of another library, for FFmpeg's converters.
struct Planes {
  const char* format = nullptr;  // FFmpeg's name of the pixel format
  int width = 0;
  int height = 0;
  std::array<const std::uint8_t*, 4> data{};
  std::array<int, 4> strides{};
  std::optional<bool> full_range;               // nothing: the stream does not say
  std::uint8_t matrix = AVCOL_SPC_UNSPECIFIED;  // colour matrix, numbered as in ITU-T H.273
  bool interlaced = false;
  bool top_field_first = false;
};

// Copies it into a frame of FFmpeg, whose converters read beyond the end of rows. Throws BadPicture for an
// unknown format.
Av<AVFrame> frame_of_planes(const Planes& planes);

}  // namespace palisade
