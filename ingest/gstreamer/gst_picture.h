#pragma once

#include <string>

#include "frames/image.h"
#include "ingest/ffmpeg/ffmpeg_deinterlacer.h"
#include "ingest/ffmpeg/ffmpeg_rgb.h"
#include "ingest/gstreamer/gst_handles.h"

namespace palisade {

// Converts a pipeline's pictures to RGB by the same code as FFmpeg's reader, so that both give the same
// pixels even where a stream names no colours. Used by one thread.
class GstPicture {
 public:
  // Caps of the raw formats that are accepted.
  static Gst<GstCaps> caps();

  // Call with every decoded picture, in order. Cheap for progressive ones. Throws as below.
  void see(GstSample& sample, int max_pixels);
  // Of the one that was seen last. Throws BadPicture where it has none, one over the limit, or one that
  // cannot be read.
  Image image_of(GstSample& sample, int max_pixels);

 private:
  Av<AVFrame> seen_;  // the one that was seen last, where it is interlaced
  FfmpegDeinterlacer deinterlacer_;
  FfmpegRgb rgb_;
};

}  // namespace palisade
