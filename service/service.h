#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

#include "service/engine.h"
#include "service/publisher.h"
#include "service/served_stream.h"
#include "service/settings.h"

namespace palisade {

// The running program: every stream's feed, the queue, the engine and the publisher, wired by the settings.
class Service {
 public:
  enum class End { kStopped, kAllEnded, kSomeUnreadable };

  // Binds its endpoint and starts nothing else. Throws Unavailable. The model outlives the service.
  Service(const Settings& settings, EngineModel& model);
  ~Service();

  // Reads, answers and publishes until `stop`, or, with `until_end`, until every stream has ended and its
  // last clip is answered.
  End run(const std::stop_token& stop, bool until_end, const Feed::Open& open = open_source);
  // Stops all of it. False when the model could not be interrupted in time: its thread still runs, and only
  // ending the process ends it.
  bool stop();
  const std::string& endpoint() const { return publisher_->endpoint(); }

 private:
  void on_ended(bool failed);
  void let_count(bool countable);
  std::map<std::string, StreamCounts> counts() const;
  void tell_counts() const;

  RequestQueue queue_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::size_t ended_ = 0;    // guarded by mutex_
  bool unreadable_ = false;  // guarded by mutex_
  bool countable_ = false;   // guarded by mutex_: no stream is just starting or ending
  std::vector<std::unique_ptr<ServedStream>> streams_;
  std::unique_ptr<Publisher> publisher_;
  EngineModel& model_;
  const EngineLimits limits_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace palisade
