#pragma once

#include <atomic>
#include <mutex>
#include <optional>

#include "frames/orientation.h"
#include "ingest/gstreamer/gst_handles.h"
#include "ingest/source/sei_orientation.h"

namespace palisade {

// Finds the orientation of pictures in a pipeline, from the codec's SEI messages in front of the decoder or
// else from the container's tag. If the pipeline rotates pictures itself (videoflip), they are taken as
// upright. GStreamer's threads write, the source's thread reads. Outlives the pipeline.
class GstOrientation {
 public:
  GstOrientation() = default;
  GstOrientation(const GstOrientation&) = delete;
  GstOrientation& operator=(const GstOrientation&) = delete;

  // To be called before the pipeline plays.
  void attach(GstElement& pipeline, GstElement& sink);
  // The orientation of a picture that has arrived at the sink.
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
