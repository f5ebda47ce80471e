#pragma once

#include <atomic>
#include <deque>
#include <mutex>

#include "frames/frame.h"
#include "ingest/gst_handles.h"

namespace palisade {

// Looks at the packets that reach a pipeline's video decoders, wherever they are in it: keeps all but
// keyframes from them, notes the keyframes, and when the last packet came. Outlives the pipeline, whose
// threads call it.
class GstPackets {
 public:
  explicit GstPackets(bool keyframes_only);
  GstPackets(const GstPackets&) = delete;
  GstPackets& operator=(const GstPackets&) = delete;

  // Decoders that are there and those that come while it plays.
  void watch(GstElement& pipeline);

  bool any() const { return any_; }
  MonotonicTime last() const { return last_; }
  MonotonicTime last_keyframe() const { return last_keyframe_; }
  // Whether the decoded picture of this time is a keyframe. Raw pictures all are.
  bool is_keyframe(GstClockTime pts);
  bool hardware() const { return hardware_; }

 private:
  void add(GstElement& element);
  bool pass(const GstBuffer& packet);

  const bool keyframes_only_;
  std::atomic<bool> decodes_{false};
  std::atomic<bool> hardware_{false};
  std::atomic<bool> any_{false};
  std::atomic<MonotonicTime> last_;
  std::atomic<MonotonicTime> last_keyframe_;
  std::mutex mutex_;
  std::deque<GstClockTime> keyframes_;  // guarded by mutex_: on the way through a decoder
};

}  // namespace palisade
