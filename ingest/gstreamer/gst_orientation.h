#pragma once

#include <atomic>
#include <mutex>
#include <optional>

#include "frames/orientation.h"
#include "ingest/gstreamer/gst_handles.h"
#include "ingest/source/sei_orientation.h"

namespace palisade {

// Finds the orientation of pictures inside a pipeline: by the codec's messages before the decoder, else by
// the container's tag. A pipeline that rotates pictures itself (videoflip) is trusted. Written by GStreamer's
// threads, read by the source's; outlives the pipeline.
class GstOrientation {
 public:
  GstOrientation() = default;
  GstOrientation(const GstOrientation&) = delete;
  GstOrientation& operator=(const GstOrientation&) = delete;

  // Call before the pipeline plays.
  void attach(GstElement& pipeline, GstElement& sink);
  // Orientation of a picture at the sink.
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
