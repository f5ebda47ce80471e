#pragma once

#include <span>
#include <vector>

#include "frames/frame.h"

namespace palisade {

// Chooses `count` candidates in order, with the first and the last, at even steps of accumulated motion
// (Frame::motion), as in Zhi et al., "MGSampler", ICCV 2021. A fifth of each step is time, so that no long
// time is left out; without motion frames are spread evenly. Fewer candidates than `count` are repeated.
std::vector<Frame> chosen_by_motion(std::span<const Frame> candidates, int count);

}  // namespace palisade
