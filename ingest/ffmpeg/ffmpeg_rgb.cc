#include "ingest/ffmpeg/ffmpeg_rgb.h"

#include <cstring>
#include <new>
#include <optional>
#include <utility>
#include <vector>

namespace palisade {
namespace {

// `own_range`: the range of the pixel format, for frames without one.
void set_colours(SwsContext& scaler, const AVFrame& frame, std::optional<int>& own_range) {
  int* inverse = nullptr;
  int* table = nullptr;
  int source_range = 0;
  int range = 0;
  int brightness = 0;
  int contrast = 0;
  int saturation = 0;
  // Fails for RGB sources, which need no conversion.
  if (sws_getColorspaceDetails(&scaler, &inverse, &source_range, &table, &range, &brightness, &contrast,
                               &saturation) < 0) {
    return;
  }
  if (!own_range) own_range = source_range;
  const bool said = frame.color_range != AVCOL_RANGE_UNSPECIFIED;
  source_range = said ? int(frame.color_range == AVCOL_RANGE_JPEG) : *own_range;
  sws_setColorspaceDetails(&scaler, sws_getCoefficients(frame.colorspace), source_range, table, range,
                           brightness, contrast, saturation);
}

}  // namespace

Image FfmpegRgb::convert(const AVFrame& frame) {
  if (scaler_ == nullptr || frame.width != width_ || frame.height != height_ || frame.format != format_) {
    const auto format = AVPixelFormat(frame.format);
    scaler_.reset(sws_getContext(frame.width, frame.height, format, frame.width, frame.height,
                                 AV_PIX_FMT_RGB24, SWS_BICUBIC, nullptr, nullptr, nullptr));
    if (scaler_ == nullptr) throw BadPicture("its pixel format cannot be converted to RGB");
    width_ = frame.width;
    height_ = frame.height;
    format_ = frame.format;
    own_range_.reset();
  }
  set_colours(*scaler_, frame, own_range_);
  // The scaler's vector code works on whole blocks and leaves out pixels where rows have no padding. So it
  // writes into a frame of FFmpeg, which is copied.
  if (rgb_ == nullptr || rgb_->width != frame.width || rgb_->height != frame.height) {
    rgb_.reset(av_frame_alloc());
    if (rgb_ == nullptr) throw std::bad_alloc();
    rgb_->format = AV_PIX_FMT_RGB24;
    rgb_->width = frame.width;
    rgb_->height = frame.height;
    if (av_frame_get_buffer(rgb_.get(), 0) < 0) throw std::bad_alloc();
  }
  sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height, rgb_->data, rgb_->linesize);
  const std::size_t row = std::size_t(frame.width) * 3;
  std::vector<std::uint8_t> packed(row * std::size_t(frame.height));
  for (int y = 0; y < frame.height; ++y) {
    std::memcpy(packed.data() + row * std::size_t(y), rgb_->data[0] + std::ptrdiff_t(rgb_->linesize[0]) * y,
                row);
  }
  return Image(frame.width, frame.height, std::move(packed));
}

}  // namespace palisade
