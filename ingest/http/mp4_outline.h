#pragma once

#include <cstddef>
#include <span>

namespace palisade {

// What the first boxes of an MP4 tell before it is opened (ISO/IEC 14496-12).
struct Mp4Outline {
  bool is_mp4 = false;
  std::size_t wanted = 0;     // more bytes tell more, where this is above what was given
  bool index_behind = false;  // media data comes before moov: nothing plays without seeking
  bool fragmented = false;    // moov has an mvex: fragments follow, of which it tells nothing
  bool whole_length = false;  // says how long the whole is
};

Mp4Outline outline_mp4(std::span<const std::byte> start);

}  // namespace palisade
