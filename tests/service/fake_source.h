#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <vector>

#include "ingest/source/source.h"

namespace palisade {

// A source of `frames` pictures, 0.1 s apart, and then the end; or, if frozen, nothing more.
class FakeSource : public Source {
 public:
  FakeSource(int frames, bool live, bool freezes, std::stop_token stop)
      : frames_(frames), live_(live), freezes_(freezes), stop_(std::move(stop)) {}

  std::optional<Frame> next(const Wanted& wanted) override {
    while (number_ < frames_) {
      FrameStamp stamp{.number = std::uint64_t(number_), .pts = std::chrono::milliseconds(100 * number_)};
      stamp.wall = WallTime(std::chrono::seconds(1'795'424'724)) + std::chrono::milliseconds(100 * number_);
      stamp.time_source = TimeSource::kFile;
      ++number_;
      if (!wanted(stamp)) continue;
      const std::vector<std::uint8_t> shade(16 * 12 * 3, std::uint8_t(number_));
      return Frame{.stamp = stamp, .source_width = 16, .source_height = 12, .image = Image(16, 12, shade)};
    }
    if (!freezes_) return std::nullopt;
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any().wait(lock, stop_, [] { return false; });
    throw SourceError(SourceFault::kInterrupted, "interrupted");
  }
  bool live() const override { return live_; }

 private:
  const int frames_;
  const bool live_;
  const bool freezes_;
  const std::stop_token stop_;
  int number_ = 0;
};

}  // namespace palisade
