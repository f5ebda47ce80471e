#include "ingest/ffmpeg/ffmpeg_times.h"

#include <algorithm>

extern "C" {
#include <libavutil/avstring.h>
#include <libavutil/mathematics.h>
}

namespace palisade {
namespace {

constexpr AVRational kNanosecond{1, 1'000'000'000};
// Bounds times of hostile headers, so that sums do not overflow.
constexpr MediaTime kMaxFile = std::chrono::hours(24 * 365 * 100);

std::optional<MediaTime> time_of(std::int64_t timestamp, AVRational time_base) {
  if (timestamp == AV_NOPTS_VALUE) return std::nullopt;
  const MediaTime time(av_rescale_q(timestamp, time_base, kNanosecond));
  if (time < -kMaxFile || time > kMaxFile) return std::nullopt;
  return time;
}

bool has_timeline(const AVFormatContext& format) {
  return av_match_name("mov", format.iformat->name) != 0 ||
         av_match_name("matroska", format.iformat->name) != 0;
}

}  // namespace

MediaTime origin_of(const AVFormatContext& format) {
  if (has_timeline(format)) return MediaTime(0);
  return time_of(format.start_time, AV_TIME_BASE_Q).value_or(MediaTime(0));
}

std::optional<MediaTime> end_of(const AVFormatContext& format) {
  std::optional<MediaTime> end;
  for (unsigned i = 0; i < format.nb_streams; ++i) {
    const AVStream& stream = *format.streams[i];
    const auto start = time_of(stream.start_time, stream.time_base);
    const auto length = time_of(stream.duration, stream.time_base);
    if (start && length && *length > MediaTime(0)) end = std::max(end.value_or(*start), *start + *length);
  }
  if (end) return std::max(MediaTime(0), *end - origin_of(format));
  const auto length = time_of(format.duration, AV_TIME_BASE_Q);
  return length && *length >= MediaTime(0) ? length : std::nullopt;
}

}  // namespace palisade
