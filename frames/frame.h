#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "frames/image.h"

namespace palisade {

// Where a frame's wall time comes from: the sender's RTCP sender reports, our clock when the frame arrived,
// or the start of a file plus pts.
enum class TimeSource { kRtcp, kArrival, kFile };

// When and where a frame was seen, known before its pixels are.
struct FrameStamp {
  std::uint64_t number = 0;  // counts the frames decoded since the connection was opened, from 0
  MediaTime pts{0};
  WallTime wall{};
  TimeSource time_source = TimeSource::kArrival;
  // Possible error of `wall`; nothing where it is unknown, as for a file without a recording time.
  std::optional<std::chrono::milliseconds> time_uncertainty;
  bool keyframe = false;
  bool corrupt = false;
  bool jumped = false;  // the stream's clock jumped before this frame: no window spans it
};

// One picture of one stream. `image` is at the model's size once the Feed has resized it; `source_width` and
// `source_height` are the camera's.
struct Frame {
  FrameStamp stamp;
  std::string stream;
  int source_width = 0;
  int source_height = 0;
  Image image;
  Image view;  // the same for people (view_of()): only a clip's last frame has it, where it was asked for
  double motion = 0;  // amount of motion since the stream began, where a MotionWatch looks; never decreases
};

// Whether the pixels of a stamp's frame are wanted; others are not converted.
using Wanted = std::function<bool(const FrameStamp&)>;

}  // namespace palisade
