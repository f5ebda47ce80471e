#include "service/publisher.h"

#include <unistd.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include "service/clock_watch.h"
#include "service/event_book.h"
#include "service/log.h"
#include "service/zmtp_server.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLinger{500};          // for what is still unsent at the end
constexpr milliseconds kBetweenResends{100};  // many subscriptions at once make one resend
// Of one subscriber. No topic of ours is longer.
constexpr std::size_t kLongestTopic = 256, kMostSubscriptions = 256;

ZmtpServerOptions server_options(const std::string& endpoint) {
  return {.endpoint = endpoint,
          .setting = "--publish",
          .name = "publisher",
          .socket_type = "XPUB",
          .peer_types = {"SUB", "XSUB"},
          .limits = {.message_bytes = kLongestTopic + 1, .parts = 1}};
}

bool begins_with_one(std::string_view topic, const std::set<std::string>& prefixes) {
  return std::ranges::any_of(prefixes, [&](const std::string& prefix) { return topic.starts_with(prefix); });
}

}  // namespace

struct Publisher::State {
  State(PublisherOptions publisher_options, Status publisher_status)
      : options(std::move(publisher_options)),
        status(std::move(publisher_status)),
        server(
            server_options(options.endpoint),
            [this](Subscriber who, const ZmtpItem& item) { subscribe(who, item); },
            [this](Subscriber who) { subscribers.erase(who); }),
        endpoint(server.endpoint()),
        wake(wake_descriptor()),
        book(options.node) {}

  using Subscriber = ZmtpServer::Peer;
  struct Subscription {
    std::set<std::string> prefixes;
    std::set<std::string> asked_states;  // of those prefixes, not yet served
  };

  void run(const std::stop_token& stop);
  void ring() const;
  void wait(steady_clock::time_point until);
  void send(const Message& message);
  void send_queued();
  void send_heartbeat();
  void watch_clock();
  void subscribe(Subscriber who, const ZmtpItem& item);
  void send_states();

  const PublisherOptions options;
  const Status status;
  ZmtpServer server;  // the thread's once it runs
  const std::string endpoint;
  const Descriptor wake;
  const steady_clock::time_point started = steady_clock::now();

  mutable std::mutex mutex;
  std::deque<Event> queue;        // guarded by mutex
  std::uint64_t unpublished = 0;  // guarded by mutex

  // The thread's.
  EventBook book;
  std::map<Subscriber, Subscription> subscribers;
  bool states_asked = false;  // by one of them
  steady_clock::time_point next_resend = started;
  OncePerSecond full;
  ClockWatch clock;
  std::uint64_t told_unpublished = 0;

  std::jthread thread;
};

void Publisher::State::ring() const {
  const std::uint64_t one = 1;
  const ssize_t written = write(wake.number(), &one, sizeof one);
  (void)written;  // fails only where the bell is ringing already
}

void Publisher::State::wait(steady_clock::time_point until) {
  server.turn(std::chrono::ceil<milliseconds>(until - steady_clock::now()), wake.number());
  std::uint64_t rung = 0;
  const ssize_t taken = read(wake.number(), &rung, sizeof rung);
  (void)taken;
}

void Publisher::State::send(const Message& message) {
  std::shared_ptr<const std::string> frames;  // one for all
  for (const auto& [who, subscription] : subscribers) {
    if (!begins_with_one(message.topic, subscription.prefixes)) continue;
    if (!frames) frames = std::make_shared<const std::string>(zmtp_message({message.topic, message.json}));
    server.send(who, frames);
  }
}

void Publisher::State::send_queued() {
  std::deque<Event> events;
  std::uint64_t lost = 0;
  {
    const std::lock_guard guard(mutex);
    events.swap(queue);
    lost = unpublished;
  }
  for (Event& event : events) send(book.enter(std::move(event), wall_now()));
  const std::uint64_t untold = std::exchange(told_unpublished, lost);
  if (const auto count = full.count(lost - untold, steady_clock::now())) {
    log_warning("publisher: dropped " + std::to_string(*count) + " events, its queue was full");
  }
}

void Publisher::State::send_heartbeat() {
  HeartbeatEvent heartbeat{.interval = options.heartbeat,
                           .uptime = std::chrono::floor<milliseconds>(steady_clock::now() - started),
                           .unpublished = told_unpublished};
  if (status) heartbeat.streams = status();
  for (const Message& message : book.heartbeats(std::move(heartbeat), wall_now())) send(message);
}

void Publisher::State::watch_clock() {
  const auto by = clock.step(wall_now(), steady_clock::now());
  if (!by) return;
  const bool ahead = *by > milliseconds(0);
  log_warning("clock.step: the host's clock was set " + std::string(ahead ? "ahead" : "back") + " by " +
              std::to_string(std::chrono::abs(*by).count()) +
              " ms; times of events follow it, nothing else does");
}

// A subscription is a message, 1 TOPIC to begin and 0 TOPIC to end, or a command since ZMTP 3.1.
void Publisher::State::subscribe(Subscriber who, const ZmtpItem& item) {
  const std::string& body = item.parts.front();
  if (item.command.empty() && (body.empty() || (body[0] != 0 && body[0] != 1)))
    throw ZmtpFault("sent what is no subscription");
  const bool begins = item.command.empty() ? body[0] == 1 : item.command == "SUBSCRIBE";
  const std::string prefix = item.command.empty() ? body.substr(1) : body;
  Subscription& its = subscribers[who];
  if (!begins) {
    its.prefixes.erase(prefix);
    return;
  }
  if (prefix.size() > kLongestTopic ||
      (its.prefixes.size() >= kMostSubscriptions && !its.prefixes.contains(prefix))) {
    throw ZmtpFault("subscribes to more than " + std::to_string(kMostSubscriptions) +
                    " topics, or to one of more than " + std::to_string(kLongestTopic) + " bytes");
  }
  its.prefixes.insert(prefix);
  its.asked_states.insert(prefix);
  states_asked = true;
}

void Publisher::State::send_states() {
  if (!states_asked || steady_clock::now() < next_resend) return;
  for (auto& [who, subscription] : subscribers) {
    std::map<std::string, std::string> states;
    for (const std::string& prefix : std::exchange(subscription.asked_states, {})) {
      for (const Message& state : book.states(prefix)) states.emplace(state.topic, state.json);
    }
    for (const auto& [topic, json] : states)
      server.send(who, std::make_shared<const std::string>(zmtp_message({topic, json})));
  }
  states_asked = false;
  next_resend = steady_clock::now() + kBetweenResends;
}

void Publisher::State::run(const std::stop_token& stop) {
  auto next_heartbeat = started;
  while (!stop.stop_requested()) {
    wait(!states_asked ? next_heartbeat : std::min(next_heartbeat, next_resend));
    send_queued();
    send_states();
    if (steady_clock::now() >= next_heartbeat) {
      watch_clock();
      send_heartbeat();
      next_heartbeat = steady_clock::now() + options.heartbeat;
    }
  }
  // The last events are followed by a heartbeat that counts them, so that a subscriber knows it has all.
  send_queued();
  send_heartbeat();
  server.drain(kLinger);
}

Publisher::Publisher(PublisherOptions options, Status status)
    : state_(std::make_unique<State>(std::move(options), std::move(status))) {
  state_->thread = std::jthread([state = state_.get()](const std::stop_token& stop) { state->run(stop); });
}

Publisher::~Publisher() {
  state_->thread.request_stop();
  state_->ring();
  state_->thread.join();
}

void Publisher::publish(Event event) {
  {
    const std::lock_guard guard(state_->mutex);
    if (state_->queue.size() >= state_->options.queue_depth) {
      state_->queue.pop_front();
      ++state_->unpublished;
    }
    state_->queue.push_back(std::move(event));
  }
  state_->ring();
}

std::uint64_t Publisher::unpublished() const {
  const std::lock_guard guard(state_->mutex);
  return state_->unpublished;
}

const std::string& Publisher::endpoint() const {
  return state_->endpoint;
}

}  // namespace palisade
