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

// A playing pipeline and its sink. Every wait in GStreamer is short, so that a stop request is noticed.
class GstPipeline {
 public:
  // Throws SourceError.
  GstPipeline(const SourceOptions& options, std::stop_token stop);

  // The next picture; null at the end. Throws SourceError: kStalled if nothing comes for
  // options.stall_timeout, or if packets come but no first picture for options.keyframe_timeout.
  Gst<GstSample> pull();
  GstWatch& watch() { return watch_; }
  const GstWatch& watch() const { return watch_; }
  // The orientation of a picture that pull() has returned.
  Orientation orientation_of(GstBuffer& picture) const { return orientation_.of(picture); }
  // How long ago a picture entered the pipeline, if its timestamp is of the pipeline's clock.
  std::chrono::nanoseconds age_of(GstSample& sample) const;

 private:
  void open(RtspTransport transport);
  void open_at(RtspTransport transport);
  void open_over_udp();
  // Whether the server has refused all transports that it was offered.
  bool refuses_transport() const;
  void parse(RtspTransport transport);
  // Whether the camera has redirected to an address that may be followed.
  bool follows_redirect();
  void check_stall(MonotonicTime since) const;
  void play();
  void await_camera();
  void check_stop() const;
  void check_bus();
  Gst<GError> next_error(GstClockTime patience) const;
  // Translates a pipeline's error.
  SourceFault fault_of(const GError& error) const;
  [[noreturn]] void fail_with(const GError* first);
  [[noreturn]] void fail_unanswered() const;
  [[noreturn]] void fail(SourceFault fault, const std::string& why) const;

  SourceOptions options_;
  std::stop_token stop_;
  GstCamera camera_;
  GstOrientation orientation_;
  GstWatch watch_;
  bool any_ = false;           // a picture has been received
  bool no_transport_ = false;  // rtspsrc's last error was that the server refuses all transports
  MonotonicTime opened_;
  GstPlaying pipeline_;  // declared after the objects that its callbacks use
  Gst<GstElement> sink_;
  Gst<GstBus> bus_;
  Gst<GstSample> first_;  // the picture that await_camera() has taken from the sink
};

}  // namespace palisade
