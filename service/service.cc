#include "service/service.h"

#include "service/log.h"

namespace palisade {
namespace {

using std::chrono::steady_clock;

// How long the model may take to notice the stop, of the two seconds that a stop may take in all.
constexpr std::chrono::milliseconds kPatience{1200};

}  // namespace

Service::Service(const Settings& settings, EngineModel& model)
    : model_(model),
      limits_{.slice = settings.engine.slice,
              .kv_cache_bytes = std::size_t(settings.engine.kv_cache_mb) << 20} {
  publisher_ = std::make_unique<Publisher>(
      PublisherOptions{.endpoint = settings.publish, .node = settings.node}, [this] { return counts(); });
  for (const StreamSettings& stream : settings.streams) {
    streams_.push_back(std::make_unique<ServedStream>(
        stream, ServedStream::Surroundings{.node = settings.node,
                                           .engine = settings.engine,
                                           .model = model,
                                           .queue = queue_,
                                           .publisher = *publisher_,
                                           .ended = [this](bool failed) { on_ended(failed); }}));
  }
}

Service::~Service() {
  stop();
  engine_.reset();
}

void Service::on_ended(bool failed) {
  {
    const std::lock_guard lock(mutex_);
    ++ended_;
    unreadable_ = unreadable_ || failed;
  }
  wake_.notify_all();
}

void Service::let_count(bool countable) {
  const std::lock_guard lock(mutex_);
  countable_ = countable;
}

// Also asked for by the publisher, on its thread.
std::map<std::string, StreamCounts> Service::counts() const {
  const std::lock_guard lock(mutex_);
  if (!countable_) return {};
  std::map<std::string, StreamCounts> counts;
  for (const auto& stream : streams_) counts[stream->name()] = stream->counts();
  return counts;
}

Service::End Service::run(const std::stop_token& stop, bool until_end, const Feed::Open& open) {
  engine_ = std::make_unique<Engine>(model_, queue_, limits_);
  for (const auto& stream : streams_) stream->start(open);
  let_count(true);
  std::unique_lock lock(mutex_);
  if (!wake_.wait(lock, stop, [this] { return ended_ == streams_.size(); })) return End::kStopped;
  const bool unreadable = unreadable_;
  if (!until_end) {
    log_info("all streams have ended; the service waits to be stopped");
    wake_.wait(lock, stop, [] { return false; });
    return End::kStopped;
  }
  lock.unlock();
  queue_.close();
  const std::stop_callback stop_engine(stop, [this] { engine_->request_stop(); });
  engine_->join();
  if (stop.stop_requested()) return End::kStopped;
  return unreadable ? End::kSomeUnreadable : End::kAllEnded;
}

bool Service::stop() {
  if (!publisher_) return true;
  // All are asked before any is waited for.
  for (const auto& stream : streams_) stream->request_stop();
  if (engine_) engine_->request_stop();
  const bool idle = !engine_ || engine_->join_until(steady_clock::now() + kPatience);
  if (!idle) return false;
  engine_.reset();
  let_count(false);
  for (const auto& stream : streams_) stream->end();
  let_count(true);
  tell_counts();
  publisher_.reset();
  return true;
}

void Service::tell_counts() const {
  for (const auto& [name, counts] : counts()) {
    log_info(name + ": " + std::to_string(counts.frames) + " frames, " + std::to_string(counts.answered) +
             " answers, " + std::to_string(counts.dropped) + " clips dropped, " +
             std::to_string(counts.failed) + " failed, " + std::to_string(counts.skipped) +
             " without motion, " + std::to_string(counts.unchanged) + " unchanged");
  }
}

}  // namespace palisade
