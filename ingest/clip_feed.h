#pragma once

#include <cstdint>

namespace palisade {

// What makes a stream's clips: a Feed in this process, or a FeedProcess. Both stop and are joined where they
// are destroyed.
class ClipFeed {
 public:
  virtual ~ClipFeed() = default;
  virtual void request_stop() = 0;  // returns at once
  virtual std::uint64_t frames_seen() const = 0;
  // True once a file has been read to its end, or a file or address has been given up as unreadable; never
  // for a camera that may come back.
  virtual bool ended() const = 0;
  // Somebody looks at the stream: for three seconds its glimpses come more often, and as views. Returns at
  // once.
  virtual void watch() = 0;
};

}  // namespace palisade
