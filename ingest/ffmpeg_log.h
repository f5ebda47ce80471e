#pragma once

#include <string>

namespace palisade {

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
