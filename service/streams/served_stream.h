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
#include "model/masks/mask_decoder.h"
#include "service/engine/engine_model.h"
#include "service/engine/request_queue.h"
#include "service/events/event_road.h"
#include "service/settings/settings.h"
#include "service/streams/clip_series.h"
#include "service/streams/pair_notice.h"
#include "service/streams/pairings.h"
#include "service/streams/reference_pictures.h"
#include "service/streams/stream_pictures.h"
#include "tasks/certainty/certainty_curve.h"

namespace palisade {

// One stream of the service: turns the clips of its feed into requests in its lane of the queue, and replies
// and reports into events. Held by shared_ptr, because its requests keep it alive until they are answered or
// dropped. What Surroundings refers to outlives it.
class ServedStream : public std::enable_shared_from_this<ServedStream> {
 public:
  struct Surroundings {
    EngineSettings engine;
    FrameStorage frames = FrameStorage::kOff;    // of tasks that do not say
    bool likeness = false;                       // answers tell the likeness of their last frame
    bool views = false;                          // somebody wants to see newest()
    const CertaintyCurves* certainty = nullptr;  // of the model's answers; null: none
    const MaskDecoder* masks = nullptr;          // null: events have no masks
    EngineModel& model;
    RequestQueue& queue;
    EventRoad& road;
    Pairings& pairings;
    ReferencePictures& references;
    std::function<void()> ended;  // called on the feed's thread when the stream has ended for good
  };

  // Throws Error where an adapter cannot be used.
  ServedStream(StreamSettings settings, Surroundings surroundings);

  // Begins to read the stream. Tests give an `open`, which is called in this process.
  void start(Feed::Open open = {});
  // Returns at once. Answers that are not finished by then become no events.
  void request_stop();
  // Waits for the end of the feed; call request_stop() first.
  void end();
  const std::string& name() const { return settings_.name; }
  const StreamSettings& settings() const { return settings_; }
  // ended(): a file was read to its end, or the stream was given up; in the second case also unreadable().
  bool ended() const { return ended_; }
  bool unreadable() const { return unreadable_; }
  StreamCounts counts() const;
  StateEvent state() const;
  // The newest frame with a view, where those are made; nothing before the first. Asked for again and again
  // it is less than a second old.
  std::optional<NewestPicture> newest() const;
  // StreamPictures::last; empty where `views` is not set or the stream is away.
  std::vector<Frame> recent(std::chrono::milliseconds span) const;
  // A task's last answer, by its index; the time of its last frame.
  struct LastText {
    WallTime time{};
    std::string text;
    std::vector<AnswerChoice> choices;
    std::vector<DetectedBox> boxes;
  };
  std::map<std::size_t, LastText> last_texts() const {
    const std::lock_guard lock(mutex_);
    return last_texts_;
  }

  // From any thread: the task's next clip is asked about at once; the task's next frame becomes the reference
  // picture that it compares with. Both return what is wrong, or nothing.
  std::optional<std::string> ask_now(const std::string& task);
  std::optional<std::string> take_reference(const std::string& task);

 private:
  // A task's last answer.
  struct LastAnswer {
    WallTime time{};
    std::string text;
    std::vector<float> likeness;  // of its last frame; may be empty
  };

  // Instead of a feed.
  void pause() {
    on_report({.stream = name(), .state = FeedState::kRemoved, .reason = "paused", .since = wall_now()});
    ended_ = true;
    around_.ended();
  }
  ClipSeries* series_of(const std::string& task);
  // On the feed's thread.
  void on_clip(Clip clip, std::size_t sampling);
  void on_report(const FeedReport& report);
  void publish_state(const FeedReport& report);
  std::optional<Clip> with_reference(Clip clip, ClipSeries& series);
  // On the feed's thread, or on the feed's thread of a stream that this one is paired with.
  void ask(Clip clip, std::size_t series);
  void on_pair(Clip pair, std::size_t series);
  void on_miss(std::uint64_t count, const PairMiss& last, std::size_t series);
  void tell_pairs(const std::string& notice, LogLevel level);
  void tell_change(const ClipSeries& series, ClipSeries::Change change) const;
  // On the engine's thread.
  void on_reply(const ClipContext& passed, const Request& request, const Reply& reply);
  void on_failure(const ClipContext& passed, const Request& request, const Reply& reply);
  FrameStorage storage_of(const TaskSettings& task) const {
    return task.keep_frames.value_or(around_.frames);
  }
  // Whether an answer says the same as the last one of its task.
  bool repeats(std::size_t task, const AnswerRecord& record) const;
  AnswerRecord record_of(std::size_t task, const ClipContext& passed, const Request& request,
                         const Reply& reply);

  const StreamSettings settings_;
  Surroundings around_;
  std::vector<std::unique_ptr<ClipSeries>> series_;
  std::vector<SharedAdapter> adapters_;  // of each series, or nullptr
  std::atomic<std::uint64_t> answered_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<std::uint64_t> images_encoded_{0};
  std::atomic<bool> ended_{false};
  std::atomic<bool> unreadable_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> unchanged_{0};
  // Used by the feed's thread only.
  OncePerSecond missing_;
  std::string last_state_;
  StreamPictures pictures_;
  std::mutex asking_;
  OncePerSecond drops_;   // guarded by asking_
  OncePerSecond skips_;   // guarded by asking_
  OncePerSecond losses_;  // guarded by asking_
  // Used by the engine's thread only; by index of the task.
  OncePerSecond failures_;
  std::map<std::size_t, std::uint64_t> failed_before_;  // failures that no event has reported yet
  std::map<std::size_t, std::uint64_t> skipped_told_;   // skipped clips that events have reported so far
  std::map<std::size_t, LastAnswer> told_;              // answers that may still hold
  std::mutex pairs_mutex_;
  std::map<std::size_t, PairNotice> pair_notices_;  // guarded by pairs_mutex_; by index of the series
  mutable std::mutex mutex_;
  FeedReport last_report_;                      // guarded by mutex_
  std::map<std::size_t, LastText> last_texts_;  // guarded by mutex_
  std::uint64_t frames_ = 0;                    // guarded by mutex_; frames of the feed, once it has ended
  std::unique_ptr<ClipFeed> feed_;  // guarded by mutex_; the last member, because its thread uses all others
};

}  // namespace palisade
