#pragma once

#include <string>
#include <vector>

#include "frames/image.h"
#include "tasks/events/frame_storage.h"

namespace palisade {

// A frame or a view to keep, by the hash that the event has of it.
struct KeptPicture {
  std::string sha256;
  Image image;
  FrameStorage how = FrameStorage::kJpeg;  // never kOff
};

// Keeps pictures.
class FrameKeeper {
 public:
  virtual ~FrameKeeper() = default;
  // Takes what an answer saw that is about to be numbered. Called by one thread, and returns at once. False
  // where it cannot take all of it; then it takes nothing.
  virtual bool keep(const std::vector<KeptPicture>& pictures) = 0;
};

}  // namespace palisade
