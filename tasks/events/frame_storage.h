#pragma once

namespace palisade {

// How the frames that an answer saw are kept.
enum class FrameStorage {
  kOff,
  kJpeg,   // quality 90: for people
  kExact,  // without loss: the answer can be computed again, to the bit
};

}  // namespace palisade
