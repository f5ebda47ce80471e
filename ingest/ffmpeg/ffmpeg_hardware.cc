#include "ingest/ffmpeg/ffmpeg_hardware.h"

extern "C" {
#include <libavutil/hwcontext.h>
}

#include <new>

namespace palisade {

// FFmpeg chooses the device's format where it is offered, and calls again without it where the device refuses
// the stream.
bool FfmpegHardware::prepare(AVCodecContext& codec) {
  // Freed by the codec.
  return av_hwdevice_ctx_create(&codec.hw_device_ctx, AV_HWDEVICE_TYPE_VAAPI, nullptr, nullptr, 0) >= 0;
}

const AVFrame* FfmpegHardware::fetch(const AVFrame& frame) {
  used_ = frame.hw_frames_ctx != nullptr;
  if (!used_) return &frame;
  if (fetched_ == nullptr) fetched_.reset(av_frame_alloc());
  if (fetched_ == nullptr) throw std::bad_alloc();
  av_frame_unref(fetched_.get());
  if (av_hwframe_transfer_data(fetched_.get(), &frame, 0) < 0) return nullptr;
  if (av_frame_copy_props(fetched_.get(), &frame) < 0) throw std::bad_alloc();
  return fetched_.get();
}

}  // namespace palisade
