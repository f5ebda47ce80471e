#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "ingest/child_process.h"
#include "ingest/feed.h"
#include "ingest/feed_wire.h"

namespace palisade {

struct FeedProcessOptions {
  std::string program = "/proc/self/exe";  // is run as `PROGRAM feed`
  // Address space of the child; what a container or decoder asks for beyond that fails there. 0: no limit.
  std::size_t memory_bytes = std::size_t(1) << 30;
};

// A Feed in a process of its own: whatever a library does there, this process and its other cameras go on. A
// child that crashes, is killed, runs out of memory or falls silent is reported as crashed, and started again
// after growing pauses. It dies with this process. The callbacks run on this object's thread.
class FeedProcess : public ClipFeed {
 public:
  FeedProcess(FeedOptions options, Feed::OnClip on_clip, Feed::OnReport on_report,
              FeedProcessOptions process = {});
  ~FeedProcess() override;
  FeedProcess(const FeedProcess&) = delete;
  FeedProcess& operator=(const FeedProcess&) = delete;

  void request_stop() override;
  std::uint64_t frames_seen() const override { return frames_of_earlier_ + frames_; }
  bool ended() const override { return ended_; }
  void watch() override { watched_ = true; }
  // The process that runs now, or 0.
  int child() const { return child_; }

 private:
  struct Life;
  void run(const std::stop_token& stop);
  // One child's life; how it ended where it did not end well.
  std::string live(const std::stop_token& stop);
  // False where the child ended and should not have. Throws WireError.
  bool listen(const ChildProcess& child, Life& life, const std::stop_token& stop);
  void require_networks(const Life& life) const;
  void take(FeedReport report);
  void take(FeedMessage kind, const std::string& values, Life& life);

  const FeedOptions options_;
  const Feed::OnClip on_clip_;
  const Feed::OnReport on_report_;
  const FeedProcessOptions process_;
  std::atomic<std::uint64_t> frames_ = 0, frames_of_earlier_ = 0;
  std::atomic<bool> ended_ = false;
  std::atomic<bool> watched_ = false;  // and the child has not been told
  std::atomic<int> child_ = 0;
  // The thread's.
  int width_ = 0, height_ = 0;
  MonotonicTime online_since_{};
  bool online_ = false, removed_ = false;
  std::jthread thread_;
};

}  // namespace palisade
