#pragma once

#include <string>

#include "ingest/ffmpeg/ffmpeg_handles.h"

namespace palisade {

// VAAPI decoding for one decoder; software does what the device cannot.
class FfmpegHardware {
 public:
  // Prepares a decoder before it is opened. False without a device.
  bool prepare(AVCodecContext& codec);
  // The picture in main memory: `frame` itself from a software decoder, null where it cannot be fetched.
  const AVFrame* fetch(const AVFrame& frame);

  // Whether the device decoded the last picture.
  bool used() const { return used_; }

 private:
  Av<AVFrame> fetched_;
  bool used_ = false;
};

}  // namespace palisade
