#include "ingest/ffmpeg/ffmpeg_clock.h"

#include <cstring>
#include <utility>

#include "ingest/ffmpeg/ffmpeg_times.h"
#include "ingest/ffmpeg/ffmpeg_whitelist.h"

extern "C" {
#include <libavutil/avstring.h>
#include <libavutil/mathematics.h>
#include <libavutil/parseutils.h>
}

namespace palisade {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr AVRational kNanoseconds{1, 1'000'000'000};
constexpr AVRational kMicroseconds{1, 1'000'000};
constexpr milliseconds kRecorded{1'000};  // the resolution of most recorders' metadata

std::optional<WallTime> creation_time(const AVFormatContext& format) {
  const AVDictionaryEntry* entry = av_dict_get(format.metadata, "creation_time", nullptr, 0);
  std::int64_t time = 0;
  if (entry == nullptr || av_parse_time(&time, entry->value, 0) < 0 || time <= 0) return std::nullopt;
  return WallTime(microseconds(time));
}

// Wall time of a file's media time 0: the recording time of its metadata, else its last change less its
// duration, else the time of opening, as of the simulated street.
WallTime start_of(const FfmpegInput& input) {
  if (input.begins_now()) return wall_now();
  if (const auto created = creation_time(input.container())) return *created;
  const auto length = std::chrono::floor<microseconds>(input.duration().value_or(MediaTime::zero()));
  return input.modified() ? *input.modified() - length : wall_now();
}

MediaTime interval_of(const AVStream& video) {
  const AVRational rate = video.avg_frame_rate.num > 0 ? video.avg_frame_rate : video.r_frame_rate;
  if (rate.num <= 0 || rate.den <= 0) return milliseconds(40);
  return MediaTime(av_rescale_q(1, av_inv_q(rate), kNanoseconds));
}

// FFmpeg corrects only the first wrap.
std::optional<MediaTime> wrap_of(const AVStream& video) {
  if (video.pts_wrap_bits < 1 || video.pts_wrap_bits > 40) return std::nullopt;
  return MediaTime(av_rescale_q(std::int64_t(1) << video.pts_wrap_bits, video.time_base, kNanoseconds));
}

// The sender's wall time of this packet, which FFmpeg attaches after the first sender report.
std::optional<microseconds> sent_at(const AVPacket& packet) {
  std::size_t size = 0;
  const std::uint8_t* data = av_packet_get_side_data(&packet, AV_PKT_DATA_PRFT, &size);
  if (data == nullptr || size < sizeof(AVProducerReferenceTime)) return std::nullopt;
  AVProducerReferenceTime reference;
  std::memcpy(&reference, data, sizeof reference);
  return microseconds(reference.wallclock);
}

}  // namespace

FfmpegClock::FfmpegClock(const FfmpegInput& input)
    : input_(input),
      time_base_(input.video().time_base),
      untimed_(input.live() && av_match_name(input.container().iformat->name, kUntimedContainers) != 0),
      timeline_(input.live(), interval_of(input.video()), wrap_of(input.video()),
                input.live() ? std::nullopt : std::optional(origin_of(input.container()))),
      start_(start_of(input)) {}

// Where a parser cuts the stream into pictures (H.264, H.265), it finds the end of one by the start of the
// next, and puts the next one's sending time on it: that time then belongs to the packet that follows. Which
// of the two it is shows against the time of the first report, once for the connection, since camera clocks
// drift from there.
void FfmpegClock::note_packet(const AVPacket& packet) {
  if (!input_.rtsp() || packet.pts == AV_NOPTS_VALUE) return;
  const microseconds pts(av_rescale_q(packet.pts, time_base_, kMicroseconds));
  const std::optional<microseconds> previous = std::exchange(sent_, sent_at(packet));
  if (!late_ && sent_ && previous) {
    const microseconds start(input_.container().start_time_realtime);
    late_ = input_.container().start_time_realtime != AV_NOPTS_VALUE &&
            std::chrono::abs(*previous - pts - start) < std::chrono::abs(*sent_ - pts - start);
  }
  if (!late_) return;
  const std::optional<microseconds>& own = *late_ ? previous : sent_;
  if (own) wall_ = *own - pts;
}

void FfmpegClock::set_wall_time(FrameStamp& stamp, std::int64_t timestamp) {
  if (!input_.live()) {
    stamp.time_source = TimeSource::kFile;
    if (creation_time(input_.container())) stamp.time_uncertainty = kRecorded;
    stamp.wall = start_ + std::chrono::floor<microseconds>(stamp.pts);
    return;
  }
  std::optional<WallTime> sent;
  if (wall_ && timestamp != AV_NOPTS_VALUE)
    sent = WallTime(*wall_ + microseconds(av_rescale_q(timestamp, time_base_, kMicroseconds)));
  live_times_.set(stamp, sent, wall_now(), std::chrono::steady_clock::now());
}

FrameStamp FfmpegClock::stamp(const AVFrame& frame, bool damaged) {
  FrameStamp stamp;
  const std::int64_t timestamp = frame.best_effort_timestamp;
  std::optional<MediaTime> own;
  if (timestamp != AV_NOPTS_VALUE && !untimed_) {
    own = MediaTime(av_rescale_q(timestamp, time_base_, kNanoseconds));
  }
  const Timeline::Moment moment = timeline_.at(own, std::chrono::steady_clock::now(), 1 + skipped_);
  stamp.pts = moment.pts;
  stamp.jumped = moment.jumped;
  stamp.number = frames_++;
  stamp.keyframe = is_keyframe(frame);
  stamp.corrupt = damaged;
  set_wall_time(stamp, timestamp);
  skipped_ = 0;
  return stamp;
}

}  // namespace palisade
