#pragma once

#include <optional>
#include <vector>

#include "frames/frame.h"
#include "frames/motion_detector.h"

namespace palisade {

// Watches one connection for motion, with hysteresis: something begins to move when it is seen twice, and has
// stopped when next to nothing was seen for a while. Looks at ten pictures a second at most, whatever the
// frame rate. Pure: no clock but pts.
class MotionWatch {
 public:
  explicit MotionWatch(std::vector<Polygon> region = {}) : detector_(std::move(region)) {}

  // Whether look() is to see this stamp's picture. Sees every stamp once, in order.
  bool due(const FrameStamp& stamp);
  // A picture that due() has just asked for, at the camera's own size, 8-bit.
  void look(MediaTime pts, const Image& picture);
  // A new connection.
  void reset();

  // Whether something moved at or after `pts`; also where that is not known yet.
  bool moved_since(MediaTime pts) const;
  // How much has moved so far: share of the picture times seconds. Never falls.
  double total() const { return total_; }

 private:
  MotionDetector detector_;
  MediaTime next_{0};
  std::optional<MediaTime> last_stamp_;
  std::optional<MediaTime> last_look_;
  MediaTime known_from_{0};  // the background is not learnt before
  int last_moving_ = 0;
  bool moves_ = false;
  std::optional<MediaTime> last_motion_;
  double total_ = 0;
};

}  // namespace palisade
