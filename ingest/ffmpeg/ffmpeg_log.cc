#include "ingest/ffmpeg/ffmpeg_log.h"

#include <array>
#include <cstdarg>
#include <mutex>
#include <string_view>
#include <utility>

#include "base/redaction.h"
#include "ingest/ffmpeg/ffmpeg_handles.h"

namespace palisade {
namespace {

thread_local std::string last_error;
thread_local bool lost_packets = false;

// Enough for the largest allowed picture, far below what a hostile header asks for.
constexpr std::size_t kMaxAllocation = 256u << 20;

FfmpegListener* listener_of(void* context) {
  if (context == nullptr || *static_cast<const AVClass**>(context) != avformat_get_class()) return nullptr;
  return static_cast<FfmpegListener*>(static_cast<AVFormatContext*>(context)->opaque);
}

void on_log(void* context, int level, const char* format, std::va_list arguments) {
  if (FfmpegListener* const listener = listener_of(context)) {
    std::va_list copy;
    va_copy(copy, arguments);
    listener->hear(*static_cast<AVFormatContext*>(context), format, copy);
    va_end(copy);
  }
  // The only sign of lost UDP packets where whole pictures are missing.
  if (std::string_view(format).starts_with("RTP: missed")) lost_packets = true;
  if (level > AV_LOG_ERROR) return;
  std::array<char, 512> line{};
  int print_prefix = 0;
  av_log_format_line2(context, level, format, arguments, line.data(), int(line.size()), &print_prefix);
  last_error = line.data();
}

}  // namespace

void quiet_ffmpeg() {
  static std::once_flag once;
  std::call_once(once, [] { av_max_alloc(kMaxAllocation); });
  // Set each time, because other users of FFmpeg in this process may have set theirs.
  av_log_set_callback(on_log);
}

std::string take_ffmpeg_error() {
  std::string text = redact_text(std::exchange(last_error, {}));
  while (!text.empty() && (text.back() == '\n' || text.back() == '.')) text.pop_back();
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text;
}

bool take_lost_packets() {
  return std::exchange(lost_packets, false);
}

std::string ffmpeg_text(int code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(code, text.data(), text.size());
  return text.data();
}

}  // namespace palisade
