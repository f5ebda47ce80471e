#pragma once

#include <string>

#include "frames/image.h"
#include "ingest/ffmpeg/ffmpeg_deinterlacer.h"
#include "ingest/ffmpeg/ffmpeg_rgb.h"
#include "ingest/gstreamer/gst_handles.h"

namespace palisade {

// Makes RGB of what a pipeline has decoded, by the same conversion as FFmpeg's reader, so that both give the
// same pixels: also where a stream does not say what its colours mean, which GStreamer guesses by the
// picture's size. One thread's.
class GstPicture {
 public:
  // The raw formats that are taken, for a sink.
  static Gst<GstCaps> caps();

  // Every decoded picture, in order, wanted or not. Costs nothing where none is interlaced. Throws as below.
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
