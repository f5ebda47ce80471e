#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "ingest/gstreamer/gst_handles.h"
#include "ingest/rtsp/rtsp_address.h"
#include "ingest/rtsp/rtsp_dialogue.h"
#include "ingest/source/source.h"

namespace palisade {

// Makes and configures the source element of a pipeline for an rtsp(s): or v4l2: address. Outlives its
// pipeline.
class GstCamera {
 public:
  // Throws SourceError for an invalid rtsp(s): address.
  explicit GstCamera(const SourceOptions& options);
  GstCamera(const GstCamera&) = delete;
  GstCamera& operator=(const GstCamera&) = delete;

  static bool is_camera(const SourceOptions& options);
  // The first part of a gst_parse_launch line, up to decoded pictures. It lacks the address, which would need
  // quoting. Throws SourceError if a v4l2: address does not name a device.
  static std::string line(const SourceOptions& options);

  // Parses a line into a pipeline. From then on answer() follows an RTSP camera's answers. Throws
  // SourceError.
  GstElement* parse(const std::string& line, GError** error);
  // Sets address, credentials, transport (TCP or UDP) and timeouts before the pipeline plays.
  void set_up(GstElement& pipeline, const SourceOptions& options, RtspTransport transport);
  // Whether an RTSP camera has described its streams and none is video.
  bool without_video() const { return (offers_ && !has_video_) || dialogue_->without_video(); }
  // Whether no installed element can depayload the video.
  bool unknown_encoding() const { return unknown_encoding_; }
  // The encoding of an RTSP camera's video.
  std::string encoding() const { return dialogue_->encoding(); }
  bool is_rtsp() const { return address_.has_value(); }
  // The last answer of an RTSP camera.
  RtspAnswer answer() const { return dialogue_->last(); }
  // Takes the target of a redirection as the address for the next set_up(). Throws SourceError.
  void follow(const std::string& location);
  // Why the camera refuses or cannot be reached; nothing if that is unknown. Takes up to `patience`.
  std::optional<SourceError> fault(const std::string& shown, std::chrono::milliseconds patience,
                                   const std::stop_token& stop) const;

 private:
  void set_up_tls(GstElement& rtspsrc);
  static gboolean on_certificate(GstElement* rtspsrc, gpointer connection, gpointer certificate, guint faults,
                                 gpointer self);
  static gboolean on_stream(GstElement* rtspsrc, guint number, GstCaps* caps, gpointer self);

  const SourceOptions options_;
  std::optional<RtspAddress> address_;
  const std::shared_ptr<RtspDialogue> dialogue_ = std::make_shared<RtspDialogue>();
  std::atomic<unsigned> certificate_faults_{0};
  int redirects_ = 0;
  std::atomic<bool> offers_{false};
  std::atomic<bool> has_video_{false};
  std::atomic<bool> unknown_encoding_{false};
};

}  // namespace palisade
