#pragma once

#include <optional>
#include <vector>

#include "frames/frame.h"
#include "frames/motion_detector.h"

namespace palisade {

// Detects motion in one connection, with hysteresis: it begins when it is seen twice, and ends when next to
// none was seen for a while. Looks at ten pictures a second at most. Pure: no clock but pts.
class MotionWatch {
 public:
  explicit MotionWatch(std::vector<Polygon> region = {}) : detector_(std::move(region)) {}

  // Whether to call look() with this stamp's picture. Call once for every stamp, in order.
  bool due(const FrameStamp& stamp);
  // The picture for which due() returned true, at the camera's own size, 8-bit.
  void look(MediaTime pts, const Image& picture);
  // A new connection.
  void reset();

  // Whether something moved at or after `pts`; true as well while that is unknown.
  bool moved_since(MediaTime pts) const;
  // Motion so far: share of the picture times seconds. Never decreases.
  double total() const { return total_; }

 private:
  MotionDetector detector_;
  MediaTime next_{0};
  std::optional<MediaTime> last_stamp_;
  std::optional<MediaTime> last_look_;
  MediaTime known_from_{0};  // from when the background is learnt
  int last_moving_ = 0;
  bool moves_ = false;
  std::optional<MediaTime> last_motion_;
  double total_ = 0;
};

}  // namespace palisade
