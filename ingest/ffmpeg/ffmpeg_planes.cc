#include "ingest/ffmpeg/ffmpeg_planes.h"

#include <new>
#include <utility>

extern "C" {
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
}

namespace palisade {

Av<AVFrame> frame_of_planes(const Planes& planes) {
  const AVPixelFormat format = av_get_pix_fmt(planes.format);
  if (format == AV_PIX_FMT_NONE) throw BadPicture("its pixel format cannot be converted to RGB");
  Av<AVFrame> frame(av_frame_alloc());
  if (frame == nullptr) throw std::bad_alloc();
  frame->format = format;
  frame->width = planes.width;
  frame->height = planes.height;
  frame->colorspace = AVColorSpace(planes.matrix);
  if (planes.full_range) frame->color_range = *planes.full_range ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
  if (planes.interlaced) frame->flags |= AV_FRAME_FLAG_INTERLACED;
  if (planes.top_field_first) frame->flags |= AV_FRAME_FLAG_TOP_FIELD_FIRST;
#else
  frame->interlaced_frame = planes.interlaced;
  frame->top_field_first = planes.top_field_first;
#endif
  if (av_frame_get_buffer(frame.get(), 0) < 0) throw std::bad_alloc();
  auto data = planes.data;
  auto strides = planes.strides;
  av_image_copy(frame->data, frame->linesize, data.data(), strides.data(), format, planes.width,
                planes.height);
  return frame;
}

}  // namespace palisade
