#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "ingest/gst_camera.h"
#include "ingest/gst_handles.h"
#include "ingest/gst_watch.h"
#include "ingest/source.h"

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

 private:
  void parse();
  void play();
  void check_stop() const;
  void check_bus() const;
  [[noreturn]] void fail(SourceFault fault, const std::string& why) const;

  [[noreturn]] void fail_as_stalled(std::chrono::milliseconds patience) const;
  // What a pipeline's error comes to.
  SourceFault fault_of(const GError& error) const;

  SourceOptions options_;
  std::stop_token stop_;
  GstCamera camera_;
  GstWatch watch_;
  bool any_ = false;  // a picture has come
  MonotonicTime opened_ = std::chrono::steady_clock::now();
  GstPlaying pipeline_;  // after what it calls back
  Gst<GstElement> sink_;
  Gst<GstBus> bus_;
};

}  // namespace palisade
