#pragma once

#include <cstdarg>
#include <string>
#include <string_view>

struct AVFormatContext;

namespace palisade {

// Receives everything that FFmpeg logs about the context whose `opaque` points to it, on the thread that uses
// the context.
class FfmpegListener {
 public:
  virtual ~FfmpegListener() = default;
  virtual void hear(AVFormatContext& context, std::string_view pattern, std::va_list arguments) = 0;
};

// Replaces FFmpeg's log callback, which would print URLs with passwords. The last error of each thread is
// kept for the exception that follows. Also limits a single allocation. Idempotent.
void quiet_ffmpeg();

// The last error that FFmpeg logged on this thread since the last call, redacted; empty if none.
std::string take_ffmpeg_error();

// Whether RTP packets were lost on this thread since the last call.
bool take_lost_packets();

// "Connection refused" for an FFmpeg error code.
std::string ffmpeg_text(int code);

}  // namespace palisade
