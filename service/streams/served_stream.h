#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "ingest/feed.h"
#include "ingest/open_source.h"
#include "service/engine/engine_model.h"
#include "service/engine/request_queue.h"
#include "service/events/event_road.h"
#include "service/settings/settings.h"
#include "service/streams/clip_series.h"
#include "service/streams/pair_notice.h"
#include "service/streams/pairings.h"
#include "service/streams/reference_pictures.h"

namespace palisade {

// One stream of the service: its feed's clips become requests in its lane, replies and reports become events.
// Made as a shared_ptr: its requests keep it alive until they are told or dropped. The rest outlives it.
class ServedStream : public std::enable_shared_from_this<ServedStream> {
 public:
  struct Surroundings {
    EngineSettings engine;
    FrameStorage frames = FrameStorage::kOff;  // of tasks that do not say
    bool likeness = false;                     // answers tell the likeness of their last frame
    EngineModel& model;
    RequestQueue& queue;
    EventRoad& road;
    Pairings& pairings;
    ReferencePictures& references;
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

  // On demand, from any thread: the task's next clip is asked about, the task's next frame becomes the
  // picture it is against. What is wrong, or nothing.
  std::optional<std::string> ask_now(const std::string& task);
  std::optional<std::string> take_reference(const std::string& task);

 private:
  // What a task said last.
  struct LastAnswer {
    WallTime time{};
    std::string text;
  };

  ClipSeries* series_of(const std::string& task);
  // On the feed's thread.
  void on_clip(Clip clip, std::size_t sampling);
  void on_report(const FeedReport& report);
  void publish_state(const FeedReport& report);
  std::optional<Clip> with_reference(Clip clip, ClipSeries& series);
  // On the feed's thread, or that of a stream it is paired with.
  void ask(Clip clip, std::size_t series);
  void on_pair(Clip pair, std::size_t series);
  void on_miss(std::uint64_t count, const PairMiss& last, std::size_t series);
  void tell_pairs(const std::string& notice, LogLevel level);
  void tell_change(const ClipSeries& series, ClipSeries::Change change) const;
  // On the engine's thread.
  void on_reply(const ClipContext& passed, const Request& request, const Reply& reply);
  void on_failure(const ClipContext& passed, const Request& request, const Reply& reply);
  AnswerRecord record_of(std::size_t task, const ClipContext& passed, const Request& request,
                         const Reply& reply);

  const StreamSettings settings_;
  Surroundings around_;
  std::vector<std::unique_ptr<ClipSeries>> series_;
  std::atomic<std::uint64_t> answered_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<std::uint64_t> images_encoded_{0};
  std::atomic<bool> ended_{false};
  std::atomic<bool> unreadable_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> unchanged_{0};
  // The feed's thread's.
  OncePerSecond missing_;
  std::string last_state_;
  std::mutex asking_;
  OncePerSecond drops_;   // guarded by asking_
  OncePerSecond skips_;   // guarded by asking_
  OncePerSecond losses_;  // guarded by asking_
  // The engine's thread's.
  OncePerSecond failures_;
  std::map<std::size_t, std::uint64_t> failed_before_;  // by task, not yet told in an event
  std::map<std::size_t, std::uint64_t> skipped_told_;   // by task, in all its events
  std::map<std::size_t, LastAnswer> told_;              // by task, while it may hold
  std::mutex pairs_mutex_;
  std::map<std::size_t, PairNotice> pair_notices_;  // guarded by pairs_mutex_: by series
  mutable std::mutex mutex_;
  FeedReport last_report_;          // guarded by mutex_
  std::uint64_t frames_ = 0;        // guarded by mutex_: of a feed that has ended
  std::unique_ptr<ClipFeed> feed_;  // guarded by mutex_; last: its thread uses all of the above
};

}  // namespace palisade
