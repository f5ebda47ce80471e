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

// A camera at the head of a pipeline, given by an address (rtsp(s): or v4l2:) instead of a pipeline's line.
// Outlives its pipeline.
class GstCamera {
 public:
  // Throws SourceError where an rtsp(s): address is none.
  explicit GstCamera(const SourceOptions& options);
  GstCamera(const GstCamera&) = delete;
  GstCamera& operator=(const GstCamera&) = delete;

  static bool is_camera(const SourceOptions& options);
  // The beginning of a line for gst_parse_launch, up to decoded pictures. Holds nothing of the address, which
  // a line would have to quote. Throws SourceError where a v4l2: address names no device.
  static std::string line(const SourceOptions& options);

  // Makes a pipeline of a line. An RTSP camera's answers are listened to from then on. Throws SourceError.
  GstElement* parse(const std::string& line, GError** error);
  // Sets the address, credentials, transport and timeouts of what the line has become, before it plays.
  // `transport` is TCP or UDP.
  void set_up(GstElement& pipeline, const SourceOptions& options, RtspTransport transport);
  // An RTSP camera has told what it sends, and none of it is video.
  bool without_video() const { return (offers_ && !has_video_) || dialogue_->without_video(); }
  // Of that video there is nothing here that could take it out of its packets.
  bool unknown_encoding() const { return unknown_encoding_; }
  // How an RTSP camera says that it sends video.
  std::string encoding() const { return dialogue_->encoding(); }
  bool is_rtsp() const { return address_.has_value(); }
  // What an RTSP camera has answered last.
  RtspAnswer answer() const { return dialogue_->last(); }
  // Goes where it sends us from the next set_up() on. Throws SourceError.
  void follow(const std::string& location);
  // Why it could not be asked, or refuses; nothing where that is not known. May take `patience` to find out.
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
