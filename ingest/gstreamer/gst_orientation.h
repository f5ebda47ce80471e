#pragma once

#include <atomic>
#include <mutex>
#include <optional>

#include "frames/orientation.h"
#include "ingest/gstreamer/gst_handles.h"
#include "ingest/source/sei_orientation.h"

namespace palisade {

// Sees inside a pipeline how its pictures lie: by the codec's messages on their way into a decoder, else by
// the container's tag on its way to the sink. A pipeline that turns pictures itself (videoflip) is believed.
// Written by GStreamer's threads, read by the source's; outlives the pipeline that it watches.
class GstOrientation {
 public:
  GstOrientation() = default;
  GstOrientation(const GstOrientation&) = delete;
  GstOrientation& operator=(const GstOrientation&) = delete;

  // Before it plays.
  void attach(GstElement& pipeline, GstElement& sink);
  // Of a picture that has come to the sink.
  Orientation of(GstBuffer& picture) const;

 private:
  void add(GstElement& element);
  void note_format(GstEvent& event);
  GstBuffer* marked_packet(GstBuffer* packet);
  void note_tag(GstEvent& event);
  GstBuffer* marked_picture(GstBuffer* picture);

  std::atomic<bool> turned_already_{false};
  std::mutex mutex_;
  SeiOrientation messages_;         // guarded by mutex_
  std::optional<Orientation> tag_;  // guarded by mutex_
};

}  // namespace palisade
