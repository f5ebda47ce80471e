#pragma once

#include <string>

#include "frames/image.h"
#include "ingest/ffmpeg/ffmpeg_deinterlacer.h"
#include "ingest/ffmpeg/ffmpeg_rgb.h"
#include "ingest/gstreamer/gst_handles.h"

namespace palisade {

// Converts a pipeline's pictures to RGB with the code of the FFmpeg reader, so that both readers give the
// same pixels, also for a stream that does not state its colour space. Not thread-safe.
class GstPicture {
 public:
  // The raw formats that are accepted.
  static Gst<GstCaps> caps();

  // To be called with every decoded picture, in order: deinterlacing needs them. Throws like image_of().
  void see(GstSample& sample, int max_pixels);
  // The RGB image of the picture that was given to see() last. Throws BadPicture if it is missing, larger
  // than `max_pixels` or unreadable.
  Image image_of(GstSample& sample, int max_pixels);

 private:
  Av<AVFrame> seen_;  // the last picture, if it is interlaced
  FfmpegDeinterlacer deinterlacer_;
  FfmpegRgb rgb_;
};

}  // namespace palisade
