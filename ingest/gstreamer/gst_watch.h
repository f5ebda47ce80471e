#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "ingest/gstreamer/gst_handles.h"
#include "ingest/gstreamer/gst_reports.h"
#include "ingest/source/source.h"

namespace palisade {

// Observes the inside of a pipeline: packets that do not result in pictures, which of them are keyframes, and
// the size of pictures before a decoder allocates memory for them. With `keyframes_only` it withholds all
// other packets from the decoders. GStreamer's threads write, the source's thread reads. Outlives the
// pipeline.
class GstWatch {
 public:
  GstWatch(int max_pixels, bool keyframes_only);
  GstWatch(const GstWatch&) = delete;
  GstWatch& operator=(const GstWatch&) = delete;

  // To be called before the pipeline plays. Also observes elements that are added later.
  void attach(GstElement& pipeline);
  std::uint64_t packets() const { return packets_; }
  MonotonicTime last_packet() const { return last_packet_; }
  MonotonicTime last_keyframe() const { return last_keyframe_; }
  // Whether the decoded picture of this pts is a keyframe; always true for raw pictures.
  bool is_keyframe(GstClockTime pts);
  // Empty for anything but RTP.
  Intake intake() const;
  const GstReports& reports() const { return reports_; }
  bool hardware() const { return hardware_; }
  bool too_large() const { return too_large_; }

 private:
  void add(GstElement& element);
  void add_decoder(GstElement& element, bool hardware);
  void add_jitter_buffer(GstElement& element);
  void add_depayloader(GstElement& element);
  void note_packet();
  void note_rtp(GstPadProbeInfo& info);
  void note_times(GstPad& pad, GstPadProbeInfo& info);
  void add_demultiplexer(GstElement& element);
  bool passes(const GstBuffer& packet);
  bool fits(GstEvent& event);

  const int max_pixels_;
  const bool keyframes_only_;
  std::atomic<std::uint64_t> packets_{0};
  std::atomic<MonotonicTime> last_packet_;
  std::atomic<MonotonicTime> last_keyframe_;
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::int64_t> waited_ns_{0};
  std::atomic<int> received_{-1};  // RTP sequence number of the newest packet
  std::atomic<bool> decodes_{false};
  std::atomic<bool> hardware_{false};
  std::atomic<bool> too_large_{false};
  std::mutex mutex_;
  std::deque<GstClockTime> keyframes_;  // guarded by mutex_; pts of keyframes that are in a decoder
  GstReports reports_;
};

}  // namespace palisade
