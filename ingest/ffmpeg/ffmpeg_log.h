#pragma once

#include <cstdarg>
#include <string>
#include <string_view>

struct AVFormatContext;

namespace palisade {

// Hears all that FFmpeg logs of the context whose `opaque` points to it, on the thread that uses the context:
// more than its functions return.
class FfmpegListener {
 public:
  virtual ~FfmpegListener() = default;
  virtual void hear(AVFormatContext& context, std::string_view format, std::va_list arguments) = 0;
};

// Takes over FFmpeg's log, which would print URLs with their passwords to stderr: nothing is printed, the
// last error of each thread is kept for the exception that follows. Also caps a single allocation of FFmpeg.
// Idempotent.
void quiet_ffmpeg();

// The last error FFmpeg logged on this thread since the last call, redacted; empty if none.
std::string take_ffmpeg_error();

// Whether RTP packets were missing from what this thread has read since it last asked.
bool take_lost_packets();

// "Connection refused" for an FFmpeg error code.
std::string ffmpeg_text(int code);

}  // namespace palisade
