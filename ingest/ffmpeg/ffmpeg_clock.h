#pragma once

#include <optional>

#include "frames/frame.h"
#include "ingest/ffmpeg/ffmpeg_handles.h"
#include "ingest/ffmpeg/ffmpeg_input.h"
#include "ingest/source/time_quality.h"
#include "ingest/source/timeline.h"

namespace palisade {

bool is_keyframe(const AVFrame& frame);

// Stamps the frames of one connection: pts from the first frame on, of a file from its own time 0; wall time
// by the best clock there is. For RTSP that is the camera's own, as told by its RTCP sender reports, unless
// it is far off; for a file its recording time or last change.
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
  bool untimed_;  // live without timestamps of its own: arrival counts
  Timeline timeline_;
  std::optional<std::chrono::microseconds> wall_;  // sender's wall time less timestamp, of the latest packet
  std::optional<std::chrono::microseconds> sent_;  // as the latest packet says
  std::optional<bool> late_;                       // whether it means the next packet
  WallTime start_;                                 // of a file
  LiveTimes live_times_;
  std::uint64_t frames_ = 0;
  int skipped_ = 0;  // since the last frame
};

}  // namespace palisade
