#pragma once

#include <optional>

#include "frames/image.h"
#include "ingest/ffmpeg/ffmpeg_handles.h"

namespace palisade {

// Converts decoded frames to RGB as `ffmpeg -pix_fmt rgb24` does: bicubic chroma, the frame's own colour
// space and range, BT.601 where it names none. Follows changes of size and format.
class FfmpegRgb {
 public:
  // Throws BadPicture for a pixel format that cannot be converted.
  Image convert(const AVFrame& frame);

 private:
  Av<SwsContext> scaler_;  // for the current size and format
  int width_ = 0;
  int height_ = 0;
  int format_ = AV_PIX_FMT_NONE;
  std::optional<int> own_range_;
  Av<AVFrame> rgb_;
};

}  // namespace palisade
