#pragma once

#include "ingest/ffmpeg/ffmpeg_handles.h"

namespace palisade {

// Makes one progressive picture of each interlaced one, at the moment of its first field, and holds none
// back. The previous picture fills in what has not moved (bwdif); without it lines are interpolated (estdif).
// Used by one thread.
class FfmpegDeinterlacer {
 public:
  // Call with every decoded picture, in order. Cheap for progressive ones.
  void see(const AVFrame& frame);
  // The progressive version of the picture last seen: `frame` itself, or valid until the next call. Throws
  // BadPicture.
  const AVFrame& progressive(const AVFrame& frame);

 private:
  Av<AVFrame> before_;  // the last two pictures, where they are interlaced
  Av<AVFrame> latest_;
  Av<AVFrame> result_;
};

bool is_interlaced(const AVFrame& frame);

}  // namespace palisade
