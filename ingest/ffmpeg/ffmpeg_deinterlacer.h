#pragma once

#include "ingest/ffmpeg/ffmpeg_handles.h"

namespace palisade {

// Makes a picture of one moment of an interlaced one, which shows two: one picture for one, and none is held
// back. The moment is that of the first field; the picture before fills in what has not moved (FFmpeg's
// bwdif), without one the lines between are made of their neighbours (estdif). One thread's.
class FfmpegDeinterlacer {
 public:
  // Every decoded picture, in order, wanted or not. Costs nothing where none is interlaced.
  void see(const AVFrame& frame);
  // What is to be shown of the one that was seen last: `frame` itself where it is progressive, else valid
  // until the next call. Throws BadPicture.
  const AVFrame& progressive(const AVFrame& frame);

 private:
  Av<AVFrame> before_;  // the two that were seen last, where they are interlaced
  Av<AVFrame> latest_;
  Av<AVFrame> result_;
};

bool is_interlaced(const AVFrame& frame);

}  // namespace palisade
