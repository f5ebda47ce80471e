#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "ingest/open_source.h"
#include "service/engine/engine.h"
#include "service/events/event_road.h"
#include "service/journal/event_replay.h"
#include "service/journal/frame_journal.h"
#include "service/journal/journal.h"
#include "service/settings/settings.h"
#include "service/streams/pairings.h"
#include "service/streams/reference_pictures.h"
#include "service/streams/served_stream.h"
#include "service/zeromq/control.h"
#include "service/zeromq/publisher.h"
#include "service/zeromq/replay.h"

namespace palisade {

// The running program: every stream's feed, the queue, the engine and the publisher, wired by the settings.
class Service {
 public:
  enum class End { kStopped, kAllEnded, kSomeUnreadable };

  // Binds its endpoints, reads its reference pictures, and starts no stream. Throws Unavailable,
  // PictureError. The model outlives the service.
  Service(Settings settings, EngineModel& model);
  ~Service();

  // Reads, answers and publishes until `stop`, or, with `until_end`, until every stream has ended and its
  // last clip is answered.
  End run(const std::stop_token& stop, bool until_end, const Feed::Open& open = open_source);
  // While run() runs, from any thread: these settings instead, all or nothing. Streams that stay as they were
  // do not notice. Refused, with a line in the log, where more than streams would change.
  void reload(Settings settings);
  // Stops all of it, tells that the streams are removed, and sends what is unsent. False when the model could
  // not be interrupted in time: its thread still runs, and only ending the process ends it.
  bool stop();
  const std::string& endpoint() const { return publisher_->endpoint(); }

 private:
  using Streams = std::vector<std::shared_ptr<ServedStream>>;
  void open_references(const Settings& settings);
  std::optional<std::string> on_control(const ControlRequest& request);
  bool read_clients_again(const Settings& settings);
  void apply(Settings wanted, const Feed::Open& open);
  void start_stream(const StreamSettings& stream, const Feed::Open& open);
  void end_streams(const Streams& streams);
  bool all_ended() const;
  NodeStatus status() const;

  Settings settings_;
  RequestQueue queue_;
  Pairings pairings_;
  ReferencePictures references_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  Streams streams_;                 // guarded by mutex_: those that run
  std::optional<Settings> wanted_;  // guarded by mutex_
  std::unique_ptr<Publisher> publisher_;
  std::unique_ptr<Journal> journal_;  // ends before its sinks, where there is one
  std::unique_ptr<FrameJournal> frames_;
  std::unique_ptr<EventRoad> road_;  // ends before its sinks and the keeper of frames
  EngineModel& model_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Control> control_;
  std::unique_ptr<EventReplay> missed_;  // the replay server's thread's
  std::unique_ptr<ReplayServer> replay_;
};

}  // namespace palisade
