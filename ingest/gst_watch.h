#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "ingest/gst_handles.h"

namespace palisade {

// Sees what passes inside a pipeline that nobody outside can see: whether packets of the camera arrive that
// no picture comes of, and how large a picture is going to be before a decoder makes room for it. Written by
// GStreamer's threads, read by the source's; outlives the pipeline that it watches.
class GstWatch {
 public:
  explicit GstWatch(int max_pixels) : max_pixels_(max_pixels) {}
  GstWatch(const GstWatch&) = delete;
  GstWatch& operator=(const GstWatch&) = delete;

  // From before it plays.
  void attach(GstElement& pipeline);
  std::uint64_t packets() const { return packets_; }
  bool too_large() const { return too_large_; }

 private:
  static void on_element(GstBin* bin, GstBin* parent, GstElement* element, gpointer self);
  static GstPadProbeReturn on_packet(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  static GstPadProbeReturn on_caps(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  void watch(GstElement& element);

  const int max_pixels_;
  std::atomic<std::uint64_t> packets_{0};
  std::atomic<bool> too_large_{false};
};

}  // namespace palisade
