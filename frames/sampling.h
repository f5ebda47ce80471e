#pragma once

#include <chrono>
#include <string_view>

namespace palisade {

// Which frames make a clip.
//   uniform: frame i of `count` nearest to start + span * i / (count - 1).
//   keyframes: as uniform, but of the keyframes alone, which cost a fraction of all frames to decode. Where
//            they are further apart than the targets, the nearest one stands for several; the clip's own
//            times tell its real span.
//   stride:  every `frame_step`-th frame from the first one on (the paper's fixed stride); `span` is unused.
//   motion:  of the frames of the span, `count` in order, dense where much moves (see
//   frames/motion_choice.h).
enum class SamplingPolicy { kUniform, kStride, kKeyframes, kMotion };

// Stills are {1, 0s, 5s}, before/after pairs {2, 10s, 10s}, video {16, 8s, 4s}. Clips start every `stride`,
// so they overlap where stride < span.
struct Sampling {
  int count = 16;
  std::chrono::milliseconds span{4000};
  std::chrono::milliseconds stride{4000};
  SamplingPolicy policy = SamplingPolicy::kUniform;
  int frame_step = 1;

  bool operator==(const Sampling&) const = default;
};

std::string_view name_of(SamplingPolicy policy);

}  // namespace palisade
