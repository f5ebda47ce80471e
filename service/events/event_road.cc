#include "service/events/event_road.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

#include "base/clock_watch.h"
#include "base/format.h"
#include "base/log.h"
#include "service/events/event_writer.h"

namespace palisade {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct EventRoad::State {
  State(EventRoadOptions its_options, std::vector<EventSink*> its_sinks, Status its_status)
      : options(std::move(its_options)),
        status(std::move(its_status)),
        writer(options.node, std::move(its_sinks), std::move(options.history), options.treatment) {
    writer.follow(std::move(options.rules), options.ask);
    for (const Alert& alert : options.alerts) writer.restore(alert);
  }

  void run(const std::stop_token& stop);
  void deliver_waiting();
  void send_heartbeat();
  void watch_clock();

  EventRoadOptions options;
  const Status status;
  const steady_clock::time_point started = steady_clock::now();

  mutable std::mutex mutex;
  std::condition_variable_any wake;
  std::deque<EventRecord> queue;                   // guarded by mutex
  std::uint64_t unpublished = 0;                   // guarded by mutex
  std::optional<std::vector<RuleSettings>> rules;  // guarded by mutex: to be followed from now on

  // Used by the road's thread alone.
  EventWriter writer;
  OncePerSecond full;
  ClockWatch clock;
  std::uint64_t told_unpublished = 0;

  std::jthread thread;
};

void EventRoad::State::deliver_waiting() {
  std::deque<EventRecord> records;
  std::optional<std::vector<RuleSettings>> changed;
  std::uint64_t lost = 0;
  {
    const std::lock_guard lock(mutex);
    records.swap(queue);
    changed.swap(rules);
    lost = unpublished;
  }
  if (changed) writer.follow(*std::move(changed), options.ask);
  for (EventRecord& record : records) writer.write(std::move(record));
  const std::uint64_t untold = std::exchange(told_unpublished, lost);
  if (const auto count = full.count(lost - untold, steady_clock::now()))
    log_warning(format("events: dropped {}, too many waited to be published", *count));
}

void EventRoad::State::send_heartbeat() {
  HeartbeatEvent heartbeat{.interval = options.heartbeat,
                           .uptime = std::chrono::floor<milliseconds>(steady_clock::now() - started),
                           .unpublished = told_unpublished};
  if (status) {
    NodeStatus now = status();
    heartbeat.streams = std::move(now.streams);
    heartbeat.journal = std::move(now.journal);
  }
  writer.write(std::move(heartbeat));
}

void EventRoad::State::watch_clock() {
  const auto by = clock.step(wall_now(), steady_clock::now());
  if (!by) return;
  const bool ahead = *by > milliseconds(0);
  log_warning(
      format("clock.step: the host's clock was set {} by {} ms; times of events follow it, nothing else does",
             ahead ? "ahead" : "back", std::chrono::abs(*by).count()));
}

void EventRoad::State::run(const std::stop_token& stop) {
  auto next_heartbeat = started;
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex);
      wake.wait_until(lock, stop, next_heartbeat, [this] { return !queue.empty(); });
    }
    deliver_waiting();
    if (steady_clock::now() >= next_heartbeat) {
      watch_clock();
      send_heartbeat();
      next_heartbeat = steady_clock::now() + options.heartbeat;
    }
  }
  // The last events are followed by a heartbeat with their counts, so that a subscriber knows that it has
  // all.
  deliver_waiting();
  send_heartbeat();
}

EventRoad::EventRoad(EventRoadOptions options, std::vector<EventSink*> sinks, Status status)
    : state_(std::make_unique<State>(std::move(options), std::move(sinks), std::move(status))) {
  state_->thread = std::jthread([state = state_.get()](const std::stop_token& stop) { state->run(stop); });
}

EventRoad::~EventRoad() {
  state_->thread.request_stop();
  state_->thread.join();
}

void EventRoad::publish(EventRecord record) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->queue.size() >= state_->options.queue_depth) {
      state_->queue.pop_front();
      ++state_->unpublished;
    }
    state_->queue.push_back(std::move(record));
  }
  state_->wake.notify_one();
}

void EventRoad::follow(std::vector<RuleSettings> rules) {
  const std::lock_guard lock(state_->mutex);
  state_->rules = std::move(rules);
}

std::uint64_t EventRoad::unpublished() const {
  const std::lock_guard lock(state_->mutex);
  return state_->unpublished;
}

}  // namespace palisade
