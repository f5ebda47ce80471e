#pragma once

#include <optional>
#include <string>

#include "ingest/ffmpeg/ffmpeg_deadline.h"
#include "ingest/ffmpeg/ffmpeg_handles.h"
#include "ingest/ffmpeg/ffmpeg_log.h"
#include "ingest/rtsp/rtsp_address.h"
#include "ingest/rtsp/rtsp_dialogue.h"

namespace palisade {

// An RTSP session of FFmpeg. Hears the camera's answers from FFmpeg's log before FFmpeg acts on them, and
// keeps it from following redirections. A redirection is judged here, and a new session opened at its target.
// Outlives its contexts.
class FfmpegRtsp : public FfmpegListener {
 public:
  // Throws SourceError where the address is none.
  FfmpegRtsp(const SourceOptions& options, Deadline& deadline);

  // Opens and plays. Null where the camera redirects; the next call goes there. Throws SourceError.
  Av<AVFormatContext> open(AvOptions& av);
  void hear(AVFormatContext& context, std::string_view pattern, std::va_list arguments) override;
  // Throws the error for FFmpeg's `code`, given the camera's answers.
  [[noreturn]] void fail(int code);

 private:
  AVIOInterruptCB callback();
  void check_video(const AVFormatContext& format) const;
  void follow();

  const SourceOptions& options_;
  Deadline& deadline_;
  const std::string shown_;
  RtspAddress address_;
  std::string asked_;  // the URL that FFmpeg is given
  AVFormatContext* opening_ = nullptr;
  RtspDialogue dialogue_;
  int redirects_ = 0;
};

}  // namespace palisade
