#include "service/streams/degradation.h"

#include <algorithm>

namespace palisade {

// How often the frames can be halved without falling below four.
int Degradation::frame_levels() const {
  return configured_ >= 16 ? 2 : configured_ >= 8 ? 1 : 0;
}

int Degradation::frames() const {
  return configured_ >> std::min(level_, frame_levels());
}

int Degradation::every() const {
  return 1 << std::max(0, level_ - frame_levels());
}

bool Degradation::takes_next() {
  return clips_++ % std::uint64_t(every()) == 0;
}

void Degradation::pushed(bool lost_one) {
  if (lost_one) {
    if (stepped_up_) wait_ = std::min(2 * wait_, kMaxWait);
    stepped_up_ = false;
    without_loss_ = 0;
    level_ = std::min(level_ + 1, frame_levels() + kClipLevels);
    return;
  }
  if (level_ == 0 && !stepped_up_) return;
  if (++without_loss_ < wait_) return;
  without_loss_ = 0;
  if (level_ == 0) {
    wait_ = kMinWait;
    stepped_up_ = false;
    return;
  }
  --level_;
  stepped_up_ = true;
}

}  // namespace palisade
