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

// An opened container or RTSP session; returns packets of its one video stream. Lists of allowed protocols,
// formats and codecs keep any input from making FFmpeg read another.
class FfmpegInput {
 public:
  // Throws SourceError. Waits at most options.open_timeout. `http` is there for an http(s) address alone.
  FfmpegInput(const SourceOptions& options, std::stop_token stop, std::optional<OpenedHttp> http = {});
  ~FfmpegInput();
  FfmpegInput(const FfmpegInput&) = delete;
  FfmpegInput& operator=(const FfmpegInput&) = delete;

  // 0, AVERROR_EOF at the end, AVERROR_EXIT after the deadline, or another code of FFmpeg.
  int read(AVPacket& packet);

  Deadline& deadline() { return deadline_; }
  const AVFormatContext& container() const { return *format_; }
  const AVStream& video() const { return *format_->streams[video_]; }
  bool rtsp() const { return rtsp_ != nullptr; }
  bool live() const;
  // Media time of the end, where it is known.
  std::optional<MediaTime> duration() const;
  const Intake& intake() const { return intake_; }
  // Why the connection to an http(s) address broke.
  std::optional<SourceError> connection_fault() const {
    return http_ != nullptr ? http_->fault() : std::nullopt;
  }
  // When a file was last written; nothing for a network stream.
  std::optional<WallTime> modified() const;
  // A film that is shown as if it were taken now.
  bool begins_now() const { return begins_now_; }

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
  std::optional<bool> http_live_;  // of OpenedHttp
  bool begins_now_ = false;
  std::unique_ptr<FileInput> file_;  // these three outlive format_, which uses them
  std::unique_ptr<HttpInput> http_;
  std::unique_ptr<FfmpegRtsp> rtsp_;  // of an RTSP address alone
  Av<AVFormatContext> format_;
  int video_ = -1;
  Intake intake_{.waited = std::chrono::nanoseconds(0)};
};

}  // namespace palisade
