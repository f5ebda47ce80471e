#pragma once

#include "frames/image.h"
#include "ingest/ffmpeg_handles.h"

namespace palisade {

// Converts decoded frames to RGB as `ffmpeg -pix_fmt rgb24` does: bicubic chroma, the frame's own colour
// space and range, BT.601 where it names none. Follows changes of size and format.
class FfmpegRgb {
 public:
  // Throws std::runtime_error for a pixel format that cannot be converted.
  Image convert(const AVFrame& frame);

 private:
  Av<SwsContext> scaler_;
  Av<AVFrame> rgb_;
};

}  // namespace palisade
