#include "service/zeromq/publisher.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <zmq.hpp>

#include "base/clock_watch.h"
#include "base/error.h"
#include "base/log.h"
#include "service/endpoints/endpoint.h"
#include "service/events/event_book.h"
#include "service/zeromq/peer_guard.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kHighWaterMark = 1000;          // messages kept for one slow subscriber
constexpr int kLingerMs = 500;                // for what is still unsent at the end
constexpr milliseconds kBetweenResends{100};  // many subscriptions at once make one resend
constexpr int kMaxSubscriptionsPerTurn = 1000;
constexpr std::size_t kMaxSubscriptionBytes = 257;  // a byte, and a topic of 256

zmq::socket_t publishing_socket(zmq::context_t& context) {
  zmq::socket_t socket(context, zmq::socket_type::xpub);
  socket.set(zmq::sockopt::xpub_verbose, 1);  // every subscription, not only the first to a topic
  socket.set(zmq::sockopt::sndhwm, kHighWaterMark);
  socket.set(zmq::sockopt::linger, kLingerMs);
  socket.set(zmq::sockopt::maxmsgsize, std::int64_t(kMaxSubscriptionBytes));
  socket.set(zmq::sockopt::heartbeat_ivl, 10'000);
  socket.set(zmq::sockopt::heartbeat_timeout, 30'000);
  return socket;
}

PeerRules subscriber_rules() {
  return {.name = "publisher",
          .peer_types = {"SUB", "XSUB"},
          .message = {.message_bytes = kMaxSubscriptionBytes, .parts = 1},
          .only_subscribes = true};
}

}  // namespace

struct Publisher::State {
  State(PublisherOptions publisher_options, Status publisher_status)
      : options(std::move(publisher_options)),
        status(std::move(publisher_status)),
        context(PeerGuard::context()),
        socket(publishing_socket(context)),
        peer_guard(PeerGuard::bind(socket, options.endpoint, "--publish", subscriber_rules())),
        endpoint(peer_guard->endpoint()),
        wake(wake_descriptor()),
        book(options.node) {}

  void run(const std::stop_token& stop);
  void ring() const;
  void wait(steady_clock::time_point until);
  void send(const Message& message);
  void send_queued();
  void send_heartbeat();
  void watch_clock();
  void read_subscriptions();
  void send_states();

  const PublisherOptions options;
  const Status status;
  zmq::context_t context;
  zmq::socket_t socket;  // the thread's once it runs
  std::optional<PeerGuard> peer_guard;
  const std::string endpoint;
  const Descriptor wake;
  const steady_clock::time_point started = steady_clock::now();

  mutable std::mutex mutex;
  std::deque<Event> queue;        // guarded by mutex
  std::uint64_t unpublished = 0;  // guarded by mutex

  // The thread's.
  EventBook book;
  std::set<std::string> asked_states;  // topic prefixes of subscriptions not yet served
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
  const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
  std::array<zmq::pollitem_t, 2> items{
      {{socket.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, wake.number(), ZMQ_POLLIN, 0}}};
  zmq::poll(items, std::max(left, milliseconds(0)));
  std::uint64_t rung = 0;
  const ssize_t taken = read(wake.number(), &rung, sizeof rung);
  (void)taken;
}

void Publisher::State::send(const Message& message) {
  socket.send(zmq::buffer(message.topic), zmq::send_flags::sndmore | zmq::send_flags::dontwait);
  socket.send(zmq::buffer(message.json), zmq::send_flags::dontwait);
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

void Publisher::State::read_subscriptions() {
  zmq::message_t message;
  for (int i = 0; i < kMaxSubscriptionsPerTurn && socket.recv(message, zmq::recv_flags::dontwait); ++i) {
    const std::string_view text(message.data<char>(), message.size());
    const bool subscribes = text.starts_with('\x01');
    if (subscribes && asked_states.size() < kMaxSubscriptionsPerTurn) asked_states.emplace(text.substr(1));
  }
}

void Publisher::State::send_states() {
  if (asked_states.empty() || steady_clock::now() < next_resend) return;
  std::map<std::string, std::string> states;
  for (const std::string& prefix : asked_states) {
    for (const Message& state : book.states(prefix)) states.emplace(state.topic, state.json);
  }
  for (const auto& [topic, json] : states) send({topic, json});
  asked_states.clear();
  next_resend = steady_clock::now() + kBetweenResends;
}

void Publisher::State::run(const std::stop_token& stop) {
  auto next_heartbeat = started;
  while (!stop.stop_requested()) {
    wait(asked_states.empty() ? next_heartbeat : std::min(next_heartbeat, next_resend));
    send_queued();
    read_subscriptions();
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
  socket.close();
  context.close();
  peer_guard.reset();
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
