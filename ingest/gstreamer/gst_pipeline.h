#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "ingest/gstreamer/gst_camera.h"
#include "ingest/gstreamer/gst_handles.h"
#include "ingest/gstreamer/gst_orientation.h"
#include "ingest/gstreamer/gst_watch.h"
#include "ingest/source/source.h"

namespace palisade {

// A playing pipeline and its sink. Nothing waits in GStreamer for longer than a slice, so that a stop is
// seen.
class GstPipeline {
 public:
  // Throws SourceError.
  GstPipeline(const SourceOptions& options, std::stop_token stop);

  // The next picture; null at the end. Throws SourceError: kStalled after options.stall_timeout, or, while
  // packets come that no first picture is made of, after options.keyframe_timeout.
  Gst<GstSample> pull();
  GstWatch& watch() { return watch_; }
  const GstWatch& watch() const { return watch_; }
  // How a picture lies that pull() has returned.
  Orientation orientation_of(GstBuffer& picture) const { return orientation_.of(picture); }
  // How long ago a picture was taken in, for one that is stamped with the pipeline's clock then.
  std::chrono::nanoseconds age_of(GstSample& sample) const;

 private:
  void open(RtspTransport transport);
  void open_at(RtspTransport transport);
  void open_over_udp();
  // The server takes none of the transports that it was offered.
  bool refuses_transport() const;
  void parse(RtspTransport transport);
  // Where the camera has sent us elsewhere, and whether that is followed.
  bool follows_redirect();
  void check_stall(MonotonicTime since) const;
  void play();
  void await_camera();
  void check_stop() const;
  void check_bus();
  Gst<GError> next_error(GstClockTime patience) const;
  // What a pipeline's error comes to.
  SourceFault fault_of(const GError& error) const;
  [[noreturn]] void fail_with(const GError* first);
  [[noreturn]] void fail_unanswered() const;
  [[noreturn]] void fail(SourceFault fault, const std::string& why) const;

  SourceOptions options_;
  std::stop_token stop_;
  GstCamera camera_;
  GstOrientation orientation_;
  GstWatch watch_;
  bool any_ = false;           // a picture has come
  bool no_transport_ = false;  // rtspsrc's last error said so
  MonotonicTime opened_;
  GstPlaying pipeline_;  // after what it calls back
  Gst<GstElement> sink_;
  Gst<GstBus> bus_;
  Gst<GstSample> first_;  // a camera's, taken while it was waited for
};

}  // namespace palisade
