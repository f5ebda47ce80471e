#pragma once

#include <span>
#include <vector>

#include "frames/frame.h"

namespace palisade {

// `count` of the candidates, in order, the first and the last among them: at even steps of the motion that
// has gone by (Frame::motion), as in Zhi et al., "MGSampler: An Explainable Sampling Strategy for Video
// Action Recognition", ICCV 2021. A fifth of each step is time, so that nothing long is left out; where
// nothing moves the frames are spread evenly. Fewer candidates than `count` are repeated in place.
std::vector<Frame> chosen_by_motion(std::span<const Frame> candidates, int count);

}  // namespace palisade
