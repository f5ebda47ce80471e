#pragma once

#include <chrono>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "frames/frame.h"

namespace palisade {

struct NewestPicture {
  Frame frame;
  MonotonicTime at{};  // when it came
};

// The pictures of a stream for people: the newest one, and two a second of the last 16 seconds. Any thread.
class StreamPictures {
 public:
  static constexpr std::size_t kMost = 32;
  static constexpr std::chrono::seconds kSpan{16};

  // The last frame of a window.
  void add(const Frame& frame);
  // A Feed's glimpse (ingest/glimpses.h), of which there may be more than two a second.
  void add_glimpse(Frame frame);
  // The newest one that has a view, or any as long as none has.
  std::optional<NewestPicture> newest() const;
  // The glimpses of this span before the newest one, in order, without views.
  std::vector<Frame> last(std::chrono::milliseconds span) const;

 private:
  void show(const Frame& frame);

  mutable std::mutex mutex_;
  std::optional<NewestPicture> newest_;
  std::deque<Frame> glimpses_;
};

}  // namespace palisade
