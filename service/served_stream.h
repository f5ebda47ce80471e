#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ingest/feed.h"
#include "service/engine_model.h"
#include "service/log.h"
#include "service/publisher.h"
#include "service/request_queue.h"
#include "service/settings.h"

namespace palisade {

// One stream of the service: its feed's clips become requests in its lane, replies and reports become events.
// Made as a shared_ptr: its requests keep it alive until they are told or dropped. The rest outlives it.
class ServedStream : public std::enable_shared_from_this<ServedStream> {
 public:
  struct Surroundings {
    std::string node;
    EngineSettings engine;
    EngineModel& model;
    RequestQueue& queue;
    Publisher& publisher;
    std::function<void()> ended;  // the stream will give nothing more; on the feed's thread
  };

  ServedStream(StreamSettings settings, Surroundings surroundings);

  // Begins to read. `open` is replaced in tests.
  void start(Feed::Open open = open_source);
  // Returns at once; answers that are still in the making are told to nobody.
  void request_stop();
  // Waits for the feed, which has been asked to stop.
  void end();
  const std::string& name() const { return settings_.name; }
  const StreamSettings& settings() const { return settings_; }
  // A file has been read to its end, or the stream has been given up: `unreadable()`.
  bool ended() const { return ended_; }
  bool unreadable() const { return unreadable_; }
  StreamCounts counts() const;

 private:
  // Tasks that see the same clips.
  struct Series {
    Sampling sampling;
    std::vector<std::size_t> tasks;  // indices into settings_.tasks
    std::vector<std::string> prompts;
  };

  // On the feed's thread.
  void on_clip(Clip clip, std::size_t series);
  void on_report(const FeedReport& report);
  // On the engine's thread.
  void on_reply(std::size_t series, const Request& request, const Reply& reply);
  void publish_answer(const TaskSettings& task, const Request& request, const Reply& reply,
                      std::uint64_t lost);

  const StreamSettings settings_;
  Surroundings around_;
  std::vector<Series> series_;
  std::atomic<std::uint64_t> answered_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<std::uint64_t> images_encoded_{0};
  std::atomic<bool> ended_{false};
  std::atomic<bool> unreadable_{false};
  std::atomic<bool> stopping_{false};
  // The feed's thread's.
  OncePerSecond drops_;
  std::string last_state_;
  // The engine's thread's.
  OncePerSecond failures_;
  std::map<std::size_t, std::uint64_t> failed_before_;  // by task, not yet told in an event
  mutable std::mutex mutex_;
  std::uint64_t frames_ = 0;    // guarded by mutex_: of a feed that has ended
  std::unique_ptr<Feed> feed_;  // guarded by mutex_; last: its thread uses all of the above
};

}  // namespace palisade
