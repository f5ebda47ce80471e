#pragma once

#include <optional>
#include <string>

#include "ingest/ffmpeg/ffmpeg_clock.h"
#include "ingest/ffmpeg/ffmpeg_handles.h"
#include "ingest/ffmpeg/ffmpeg_hardware.h"
#include "ingest/ffmpeg/ffmpeg_input.h"
#include "ingest/ffmpeg/ffmpeg_orientation.h"

namespace palisade {

// Decodes one video stream, or its keyframes alone. Marks frames that have errors or depend on such frames.
class FfmpegDecoder {
 public:
  // Throws SourceError.
  FfmpegDecoder(FfmpegInput& input, const SourceOptions& options);

  // The next decoded frame, valid until the next call; null at the end. Throws SourceError.
  const AVFrame* next(FfmpegClock& clock);
  // A note for the user about how it decodes; empty: none.
  std::string remark() const;
  bool damaged() const { return damaged_since_.has_value(); }
  // Orientation of a frame that next() has returned.
  Orientation orientation_of(const AVFrame& frame) { return orientation_.of(frame); }

 private:
  void open(bool hardware);
  const AVFrame* in_memory();
  void feed(FfmpegClock& clock);
  void feed_packet(FfmpegClock& clock);
  void pass_over(FfmpegClock& clock);
  void send(const AVPacket* packet);
  void count_failure(int code);
  void note_damage();
  void wait_for_keyframe();
  [[noreturn]] void fail_to_read(int code) const;

  FfmpegInput& input_;
  SourceOptions options_;
  FfmpegOrientation orientation_;
  FfmpegHardware hardware_;
  bool device_ = false;  // hardware_ has a device for this decoder
  Av<AVCodecContext> codec_;
  Av<AVPacket> packet_;
  Av<AVFrame> frame_;
  int failures_ = 0;  // consecutive packets that failed to decode
  bool drained_ = false;
  MonotonicTime last_keyframe_;
  const MonotonicTime opened_ = std::chrono::steady_clock::now();
  std::uint64_t packets_ = 0;
  std::uint64_t frames_ = 0;
  int suspects_ = 0;                            // frames to be marked as damaged after lost packets
  std::optional<std::uint64_t> damaged_since_;  // number of the first damaged frame
};

}  // namespace palisade
