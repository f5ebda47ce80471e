#pragma once

#include <cstddef>
#include <span>

namespace palisade {

// What the first boxes of an MP4 file say about it (ISO/IEC 14496-12).
struct Mp4Outline {
  bool is_mp4 = false;
  std::size_t wanted = 0;     // size of `start` that is needed to decide, if more than was given
  bool index_behind = false;  // media data comes before moov, so that playing needs seeking
  bool fragmented = false;    // moov has an mvex box: fragments follow
  bool whole_length = false;  // states the duration of the whole film
};

Mp4Outline outline_mp4(std::span<const std::byte> start);

}  // namespace palisade
