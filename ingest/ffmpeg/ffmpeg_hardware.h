#pragma once

#include <string>

#include "ingest/ffmpeg/ffmpeg_handles.h"

namespace palisade {

// Decoding by the graphics processor through VAAPI, for one decoder. What it cannot do is decoded in
// software.
class FfmpegHardware {
 public:
  // Prepares a decoder that has not been opened yet. False where the machine has no such device.
  bool prepare(AVCodecContext& codec);
  // The picture in main memory: `frame` itself where the decoder worked in software. Null when it cannot be
  // fetched.
  const AVFrame* fetch(const AVFrame& frame);

  // Whether the last picture came from it.
  bool used() const { return used_; }

 private:
  Av<AVFrame> fetched_;
  bool used_ = false;
};

}  // namespace palisade
