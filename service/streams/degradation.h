#pragma once

#include <cstdint>

namespace palisade {

// Reduces what one series of clips asks of an engine that does not keep up: first fewer frames (16, 8, 4),
// then only every second, then every fourth clip. Goes a step down when the queue drops a clip, and a step up
// after a while without drops; after a step up that was too early it waits longer. Not thread-safe.
class Degradation {
 public:
  // `frames`: the configured number of frames a clip.
  explicit Degradation(int frames) : configured_(frames) {}

  // Counts a clip and says whether it goes to the engine.
  bool takes_next();
  // To be called after a clip was pushed into the queue. `lost_one`: the queue dropped an older clip for it.
  void pushed(bool lost_one);

  int level() const { return level_; }  // 0: as configured
  int frames() const;
  int every() const;  // one clip of so many goes to the engine

 private:
  int frame_levels() const;

  static constexpr int kClipLevels = 2;
  static constexpr int kMinWait = 8;  // clips without a loss before a step up
  static constexpr int kMaxWait = 128;

  int configured_;
  int level_ = 0;
  int wait_ = kMinWait;
  int without_loss_ = 0;
  bool stepped_up_ = false;  // the last step went up, and no wait without drops has followed it yet
  std::uint64_t clips_ = 0;
};

}  // namespace palisade
