#pragma once

#include <vector>

#include "frames/clip.h"
#include "tasks/events/answer_event.h"
#include "tasks/events/frame_storage.h"

namespace palisade {

// Keeps frames.
class FrameKeeper {
 public:
  virtual ~FrameKeeper() = default;
  // Takes the frames of an answer that is about to be numbered; `evidence` has their hashes, in the same
  // order. Called by one thread, and returns at once. False where it cannot take all of them.
  virtual bool keep(const Clip& clip, const std::vector<FrameEvidence>& evidence, FrameStorage how) = 0;
};

}  // namespace palisade
