#pragma once

#include <atomic>
#include <string>

#include "ingest/gst_handles.h"
#include "ingest/source.h"

namespace palisade {

// An RTSP camera at the head of a pipeline: rtspsrc, set up as SourceOptions say. Outlives its pipeline.
class GstCamera {
 public:
  GstCamera() = default;
  GstCamera(const GstCamera&) = delete;
  GstCamera& operator=(const GstCamera&) = delete;

  // The beginning of a line for gst_parse_launch.
  static constexpr const char* kLine = "rtspsrc name=camera ! application/x-rtp,media=video ! decodebin";

  // Before it plays.
  void set_up(GstElement& pipeline, const SourceOptions& options);
  // It has told what it sends, and none of it is video.
  bool without_video() const { return offers_ && !has_video_; }

 private:
  static gboolean on_stream(GstElement* rtspsrc, guint number, GstCaps* caps, gpointer self);

  std::atomic<bool> offers_{false};
  std::atomic<bool> has_video_{false};
};

}  // namespace palisade
