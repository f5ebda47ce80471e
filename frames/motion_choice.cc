#include "frames/motion_choice.h"

#include <algorithm>
#include <cmath>

namespace palisade {
namespace {

constexpr double kShareOfTime = 0.2;

// The position of each candidate between the first and the last, 0..1.
std::vector<double> progress_of(std::span<const Frame> candidates) {
  const Frame& first = candidates.front();
  const Frame& last = candidates.back();
  const double motion = last.motion - first.motion;
  const double time = double((last.stamp.pts - first.stamp.pts).count());
  const double share_of_time = motion > 0 ? kShareOfTime : 1;
  std::vector<double> progress;
  for (const Frame& frame : candidates) {
    double at = 0;
    if (motion > 0) at += (1 - share_of_time) * (frame.motion - first.motion) / motion;
    if (time > 0) at += share_of_time * double((frame.stamp.pts - first.stamp.pts).count()) / time;
    progress.push_back(at);
  }
  return progress;
}

}  // namespace

std::vector<Frame> chosen_by_motion(std::span<const Frame> candidates, int count) {
  const std::vector<double> progress = progress_of(candidates);
  const int last = int(candidates.size()) - 1;
  // Uses no frame twice while there are enough.
  const int apart = last + 1 >= count ? 1 : 0;
  std::vector<Frame> chosen;
  int at = 0;
  for (int i = 0; i < count; ++i) {
    const double target = count > 1 ? double(i) / (count - 1) : 1;
    if (i > 0) at += apart;
    const int latest = last - apart * (count - 1 - i);
    while (at < latest &&
           std::abs(progress[std::size_t(at) + 1] - target) <= std::abs(progress[std::size_t(at)] - target))
      ++at;
    chosen.push_back(candidates[std::size_t(at)]);
  }
  return chosen;
}

}  // namespace palisade
