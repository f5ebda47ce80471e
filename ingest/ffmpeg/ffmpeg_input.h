#pragma once

#include <memory>
#include <optional>

#include "ingest/ffmpeg/ffmpeg_bounds.h"
#include "ingest/ffmpeg/ffmpeg_deadline.h"
#include "ingest/ffmpeg/ffmpeg_file.h"
#include "ingest/ffmpeg/ffmpeg_handles.h"
#include "ingest/ffmpeg/ffmpeg_http.h"
#include "ingest/ffmpeg/ffmpeg_rtsp.h"
#include "ingest/source/source.h"

namespace palisade {

// An opened container or RTSP session and its one video stream; hands out packets of that stream only. What
// may be opened is limited by lists of protocols, formats and codecs, so that no input can make FFmpeg read
// another.
class FfmpegInput {
 public:
  // Throws SourceError. Waits at most options.open_timeout. `http` is there for an http(s) address alone.
  FfmpegInput(const SourceOptions& options, std::stop_token stop, std::optional<OpenedHttp> http = {});
  ~FfmpegInput();
  FfmpegInput(const FfmpegInput&) = delete;
  FfmpegInput& operator=(const FfmpegInput&) = delete;

  // FFmpeg's code: 0, AVERROR_EOF at the end, AVERROR_EXIT when the deadline has passed.
  int read(AVPacket& packet);

  Deadline& deadline() { return deadline_; }
  const AVFormatContext& format() const { return *format_; }
  const AVStream& video() const { return *format_->streams[video_]; }
  bool rtsp() const { return rtsp_ != nullptr; }
  bool live() const;
  // Media time at which it ends, where it has an end and tells it.
  std::optional<MediaTime> duration() const;
  const Intake& intake() const { return intake_; }
  // Why the connection of an http(s) address has broken.
  std::optional<SourceError> connection_fault() const {
    return http_ != nullptr ? http_->fault() : std::nullopt;
  }
  // When a file was last written; nothing for a network stream.
  std::optional<WallTime> modified() const;

 private:
  void open(const SourceOptions& options);
  void open_rtsp(const SourceOptions& options);
  void find_video(const SourceOptions& options);
  [[noreturn]] void fail_without_video(const SourceOptions& options) const;
  void fail_to_open_http(const std::string& shown) const;
  void fail_by_kind(const std::string& shown) const;
  [[noreturn]] void fail_to_open(int code, const SourceOptions& options) const;

  Deadline deadline_;
  FfmpegBounds bounds_{deadline_};
  std::optional<bool> http_live_;    // of OpenedHttp
  std::unique_ptr<FileInput> file_;  // these three outlive format_, which reads through them
  std::unique_ptr<HttpInput> http_;
  std::unique_ptr<FfmpegRtsp> rtsp_;  // of an RTSP address alone
  Av<AVFormatContext> format_;
  int video_ = -1;
  Intake intake_{.waited = std::chrono::nanoseconds(0)};
};

}  // namespace palisade
