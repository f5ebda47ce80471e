#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "ingest/source/source.h"

namespace palisade {

// How much of what a camera has sent waits somewhere: in the camera, behind a network that is too slow,
// before a machine that does not keep up. Such frames are of the past, and only opening anew gets rid of
// them.
//
// A frame's delay is its arrival less its pts. It grows where frames pile up, but also where a camera's
// stamps run slower than time does, or stand still while it pauses. What tells them apart: where something
// waits, whatever holds it up is always at work. So frames come one right after the other, each taking as
// long as it has bytes, or we never wait for one. Where frames come as evenly as their stamps say, nothing is
// waiting, whatever the delay has grown to, and lateness is measured from there on. Windows of a tenth of the
// allowed lateness are judged one after the other; a silence ends one, and says nothing by itself, unless all
// came at once before it.
//
// Where all pictures are of one size, both come to the same; then a delay that grows as it did from the
// beginning, and by less than half of the time that passes, is the camera's clock.
class Backlog {
 public:
  // Throws SourceError (kStalled) where a frame is `allowed` late. `intake` is the source's.
  void check(MediaTime pts, MonotonicTime arrival, const Intake& intake, std::chrono::milliseconds allowed);

 private:
  struct Arrival {
    MonotonicTime arrival;
    MediaTime pts{0};
    Intake intake;
  };
  enum class Verdict { kNothingWaits, kPilesUp, kUnclear };
  void end_at_silence(MonotonicTime arrival);
  void judge();
  Verdict verdict() const;
  // Whether an unclear window runs at the pace of the first one.
  bool as_at_first();
  double pace() const;  // media time per time in the window
  void thin_out();

  std::vector<Arrival> window_;    // frames of the current window, thinned out where there are many
  std::optional<MediaTime> base_;  // the delay of frames that did not wait
  MediaTime least_{0};             // least delay in this window
  std::optional<double> first_pace_;
};

}  // namespace palisade
