#pragma once

#include <optional>

#include "frames/frame.h"
#include "ingest/ffmpeg/ffmpeg_handles.h"
#include "ingest/ffmpeg/ffmpeg_input.h"
#include "ingest/source/time_quality.h"
#include "ingest/source/timeline.h"

namespace palisade {

bool is_keyframe(const AVFrame& frame);

// Stamps the frames of one connection with media time and the best wall time: for RTSP the camera's own from
// its RTCP sender reports unless it is far off, for a file its recording time or last change.
class FfmpegClock {
 public:
  explicit FfmpegClock(const FfmpegInput& input);

  void note_packet(const AVPacket& packet);
  // A packet that will not be decoded.
  void note_skipped() { ++skipped_; }
  FrameStamp stamp(const AVFrame& frame, bool damaged);
  // See Source::clock_error().
  std::optional<std::chrono::milliseconds> error() const { return live_times_.error(); }

 private:
  void set_wall_time(FrameStamp& stamp, std::int64_t timestamp);

  const FfmpegInput& input_;
  AVRational time_base_;
  bool untimed_;  // a live stream without timestamps, timed by arrival
  Timeline timeline_;
  std::optional<std::chrono::microseconds> wall_;  // sender's wall time minus timestamp, of the latest packet
  std::optional<std::chrono::microseconds> sent_;  // sender's wall time of the latest packet
  std::optional<bool> late_;                       // whether that time belongs to the next packet
  WallTime start_;                                 // of a file
  LiveTimes live_times_;
  std::uint64_t frames_ = 0;
  int skipped_ = 0;  // since the last frame
};

}  // namespace palisade
