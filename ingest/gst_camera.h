#pragma once

#include <atomic>
#include <string>

#include "ingest/gst_handles.h"
#include "ingest/source.h"

namespace palisade {

// A camera at the head of a pipeline, given by an address (rtsp(s): or v4l2:) instead of a pipeline's line.
// Outlives its pipeline.
class GstCamera {
 public:
  GstCamera() = default;
  GstCamera(const GstCamera&) = delete;
  GstCamera& operator=(const GstCamera&) = delete;

  static bool is_camera(const SourceOptions& options);
  // The beginning of a line for gst_parse_launch, up to decoded pictures. Holds nothing of the address, which
  // a line would have to quote. Throws SourceError where a v4l2: address names no device.
  static std::string line(const SourceOptions& options);

  // Sets the address, credentials, transport and timeouts of what the line has become, before it plays.
  // `transport` is TCP or UDP.
  void set_up(GstElement& pipeline, const SourceOptions& options, RtspTransport transport);
  // An RTSP camera has told what it sends, and none of it is video.
  bool without_video() const { return offers_ && !has_video_; }
  // Where an RTSP camera was found in the end; empty for another.
  static std::string reached_address(GstElement& pipeline);

 private:
  static gboolean on_stream(GstElement* rtspsrc, guint number, GstCaps* caps, gpointer self);

  std::atomic<bool> offers_{false};
  std::atomic<bool> has_video_{false};
};

}  // namespace palisade
