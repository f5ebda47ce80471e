#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "ingest/gst_handles.h"
#include "ingest/source.h"

namespace palisade {

// A playing pipeline and its sink. Nothing waits in GStreamer for longer than a slice, so that a stop is
// seen.
class GstPipeline {
 public:
  // Throws SourceError.
  GstPipeline(const SourceOptions& options, std::stop_token stop);

  // The next picture; null at the end. Throws SourceError, kStalled after `patience`.
  Gst<GstSample> pull(std::chrono::milliseconds patience);

 private:
  void parse();
  void play();
  void check_stop() const;
  void check_bus() const;
  [[noreturn]] void fail(SourceFault fault, const std::string& why) const;

  SourceOptions options_;
  std::stop_token stop_;
  GstPlaying pipeline_;
  Gst<GstElement> sink_;
  Gst<GstBus> bus_;
};

}  // namespace palisade
