#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "ingest/open_source.h"
#include "model/masks/mask_decoder.h"
#include "service/engine/engine.h"
#include "service/events/event_road.h"
#include "service/http/http_service.h"
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

// The running service: makes streams, queue, engine, event road and publisher as the settings say, and
// connects them.
class Service {
 public:
  enum class End { kStopped, kAllEnded, kSomeUnreadable };

  // Binds the endpoints and reads reference pictures and adapters; run() starts the streams. Throws
  // Unavailable, Error. The model outlives the service.
  Service(Settings settings, EngineModel& model);
  ~Service();

  // Runs until `stop`; with `until_end` only until every stream has ended and its last clip is answered.
  End run(const std::stop_token& stop, bool until_end, const Feed::Open& open = {});
  // To be called while run() runs, from any thread: replaces the settings, all or nothing. Streams whose
  // settings have not changed go on undisturbed. If anything but streams differs, the settings are refused
  // with a log line.
  void reload(Settings settings);
  // How the settings are read again where the HTTP API writes a stream, with that one; without it it writes
  // none. Before run().
  using Reread = std::function<Settings(const std::vector<WrittenStream>& more)>;
  void on_reread(Reread reread) { reread_ = std::move(reread); }
  // Stops everything, publishes that the streams are removed, and sends the events that wait. False if the
  // model could not be interrupted in time: then the engine's thread still runs, and the process has to be
  // ended.
  bool stop();
  const std::string& endpoint() const { return publisher_->endpoint(); }
  std::string http_endpoint() const { return http_ ? http_->endpoint() : ""; }

 private:
  using Streams = std::vector<std::shared_ptr<ServedStream>>;
  void open_references(const Settings& settings);
  void ask_now(const TaskAsked& asked);
  class Backend;
  std::vector<SharedAdapter> load_adapters(const Settings& settings) const;
  std::optional<std::string> on_control(const ControlRequest& request);
  bool read_clients_again(const Settings& settings);
  void read_certificate_again();
  void apply(Settings wanted, const Feed::Open& open);
  void start_stream(const StreamSettings& stream, const Feed::Open& open);
  void end_streams(const Streams& streams);
  bool all_ended() const;
  NodeStatus status() const;

  Settings settings_;
  const std::string node_;
  const std::filesystem::path state_folder_;  // empty where there is neither a journal nor the HTTP API
  RequestQueue queue_;
  Pairings pairings_;
  ReferencePictures references_;
  std::optional<MaskDecoder> masks_;  // as the settings say
  mutable std::mutex mutex_;
  std::vector<SharedAdapter> adapters_;  // that tasks name, so that they stay; guarded by mutex_
  std::condition_variable_any wake_;
  Streams streams_;                  // guarded by mutex_
  std::vector<RuleSettings> rules_;  // those of now, for who shows them; guarded by mutex_
  std::optional<Settings> wanted_;   // guarded by mutex_
  std::unique_ptr<Publisher> publisher_;
  std::unique_ptr<Journal> journal_;  // ends before its sinks, where there is one
  std::unique_ptr<FrameJournal> frames_;
  std::unique_ptr<TextRedaction> redaction_;
  std::optional<CertaintyCurves> certainty_;
  std::unique_ptr<EventRoad> road_;  // ends before its sinks and the keeper of frames
  EngineModel& model_;
  AnswerMeter meter_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Control> control_;
  std::unique_ptr<EventReplay> missed_;  // the replay server's thread's
  std::unique_ptr<ReplayServer> replay_;
  Reread reread_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<HttpService> http_;
};

}  // namespace palisade
