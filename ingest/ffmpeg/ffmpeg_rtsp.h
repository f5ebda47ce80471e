#pragma once

#include <optional>
#include <string>

#include "ingest/ffmpeg/ffmpeg_deadline.h"
#include "ingest/ffmpeg/ffmpeg_handles.h"
#include "ingest/ffmpeg/ffmpeg_log.h"
#include "ingest/rtsp/rtsp_address.h"
#include "ingest/rtsp/rtsp_dialogue.h"

namespace palisade {

// An RTSP session as FFmpeg opens it: hears what the camera answers from what FFmpeg logs before it acts, and
// keeps it from going where the camera sends it. Whether to follow is decided here, and a new session is
// opened at the address that was judged. Outlives its contexts.
class FfmpegRtsp : public FfmpegListener {
 public:
  // Throws SourceError where the address is none.
  FfmpegRtsp(const SourceOptions& options, Deadline& deadline);

  // Opens and plays. Null where the camera sends us elsewhere, which the next call follows. Throws
  // SourceError.
  Av<AVFormatContext> open(AvOptions& av);
  void hear(AVFormatContext& context, std::string_view format, std::va_list arguments) override;
  // What FFmpeg's `code` comes to after all that the camera has answered. Throws it.
  [[noreturn]] void fail(int code);

 private:
  AVIOInterruptCB callback();
  void check_video(const AVFormatContext& format) const;
  void follow();

  const SourceOptions& options_;
  Deadline& deadline_;
  const std::string shown_;
  RtspAddress address_;
  std::string asked_;  // address_ as FFmpeg is given it
  AVFormatContext* opening_ = nullptr;
  RtspDialogue dialogue_;
  int redirects_ = 0;
};

}  // namespace palisade
