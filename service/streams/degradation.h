#pragma once

#include <cstdint>

namespace palisade {

// How much less one series of clips asks of an engine that does not keep up: fewer frames first (16, 8, 4),
// then every second and every fourth clip. Goes down a step when a clip is lost, and up again when none has
// been for a while; a step up that was too early makes the next wait longer. One thread's.
class Degradation {
 public:
  // `frames`: as configured.
  explicit Degradation(int frames) : configured_(frames) {}

  // Whether the next clip is asked about; counts it.
  bool takes_next();
  // What became of a clip that was taken: whether it cost an older one its place.
  void pushed(bool lost_one);

  int level() const { return level_; }  // 0: as configured
  int frames() const;
  int every() const;  // one clip of so many is taken

 private:
  int frame_levels() const;

  static constexpr int kClipLevels = 2;
  static constexpr int kMinWait = 8;  // clips without a loss before a step up
  static constexpr int kMaxWait = 128;

  int configured_;
  int level_ = 0;
  int wait_ = kMinWait;
  int without_loss_ = 0;
  bool stepped_up_ = false;  // last, and not yet proven
  std::uint64_t clips_ = 0;
};

}  // namespace palisade
