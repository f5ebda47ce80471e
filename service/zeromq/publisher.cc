#include "service/zeromq/publisher.h"

#include <atomic>
#include <map>
#include <set>
#include <thread>
#include <utility>
#include <zmq.hpp>

#include "base/format.h"
#include "base/log.h"
#include "service/events/sink_queue.h"
#include "service/zeromq/guarded_socket.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kHighWaterMark = 1000;          // messages kept for one slow subscriber
constexpr int kLingerMs = 500;                // how long the end waits for messages that are not yet sent
constexpr milliseconds kBetweenResends{100};  // many subscriptions in a short time are answered together
constexpr milliseconds kMaxWait{2000};
constexpr int kMaxSubscriptionsPerTurn = 1000;
constexpr std::size_t kMaxSubscriptionBytes = 257;  // one byte and a topic of 256 bytes
constexpr std::size_t kMaxHandshakeBytes = 2048;    // libzmq counts CURVE's own messages too

GuardedSocketOptions socket_options(const PublisherOptions& options) {
  const std::size_t most = options.keys ? kMaxHandshakeBytes : kMaxSubscriptionBytes;
  return {.type = ZMQ_XPUB,
          .endpoint = options.endpoint,
          .setting = "--publish",
          .rules = {.name = "publisher",
                    .peer_types = {"SUB", "XSUB"},
                    .message = {.message_bytes = kMaxSubscriptionBytes, .parts = 1},
                    .only_subscribes = true},
          .keys = options.keys,
          .configure = [most](zmq::socket_t& socket) {
            // Report every subscription, not only the first to a topic.
            socket.set(zmq::sockopt::xpub_verbose, 1);
            socket.set(zmq::sockopt::sndhwm, kHighWaterMark);
            socket.set(zmq::sockopt::linger, kLingerMs);
            socket.set(zmq::sockopt::maxmsgsize, std::int64_t(most));
            socket.set(zmq::sockopt::heartbeat_ivl, 10'000);
            socket.set(zmq::sockopt::heartbeat_timeout, 30'000);
          }};
}

}  // namespace

struct Publisher::State {
  explicit State(const PublisherOptions& options)
      : guarded(socket_options(options)), queue(options.queue_depth) {}

  void run(const std::stop_token& stop);
  void wait();
  void send(const Message& message);
  void send_waiting();
  void read_subscriptions();
  void send_states();

  GuardedSocket guarded;
  SinkQueue queue;
  std::atomic<std::uint64_t> sent = 0;  // events, not those of them that are sent again to new subscribers

  // Used by the thread only.
  std::map<std::string, SharedMessage> states;  // the last state event of every stream, by topic
  std::set<std::string> asked_states;           // topic prefixes of new subscriptions
  steady_clock::time_point next_resend = steady_clock::now();
  OncePerSecond full;
  std::uint64_t told_lost = 0;

  std::jthread thread;
};

void Publisher::State::wait() {
  const auto now = steady_clock::now();
  const auto until = asked_states.empty() ? now + kMaxWait : std::max(now, next_resend);
  guarded.wait(std::chrono::ceil<milliseconds>(until - now));
}

void Publisher::State::send(const Message& message) {
  guarded.socket().send(zmq::buffer(message.topic), zmq::send_flags::sndmore | zmq::send_flags::dontwait);
  guarded.socket().send(zmq::buffer(message.json), zmq::send_flags::dontwait);
}

void Publisher::State::send_waiting() {
  for (const SharedMessage& message : queue.take_all()) {
    send(*message);
    ++sent;
    if (message->kind == EventKind::kState) states[message->topic] = message;
  }
  const std::uint64_t lost = queue.lost(), untold = lost - std::exchange(told_lost, lost);
  if (const auto count = full.count(untold, steady_clock::now()))
    log_warning(format("publisher: dropped {} events, its queue was full", *count));
}

void Publisher::State::read_subscriptions() {
  zmq::message_t message;
  for (int i = 0; i < kMaxSubscriptionsPerTurn && guarded.socket().recv(message, zmq::recv_flags::dontwait);
       ++i) {
    const std::string_view text(message.data<char>(), message.size());
    if (text.starts_with('\x01') && asked_states.size() < kMaxSubscriptionsPerTurn)
      asked_states.emplace(text.substr(1));
  }
}

void Publisher::State::send_states() {
  if (asked_states.empty() || steady_clock::now() < next_resend) return;
  std::set<SharedMessage> found;
  for (const std::string& prefix : asked_states) {
    for (auto state = states.lower_bound(prefix); state != states.end(); ++state) {
      if (!state->first.starts_with(prefix)) break;
      found.insert(state->second);
    }
  }
  for (const SharedMessage& state : found) send(*state);
  asked_states.clear();
  next_resend = steady_clock::now() + kBetweenResends;
}

void Publisher::State::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    wait();
    send_waiting();
    read_subscriptions();
    send_states();
  }
  send_waiting();
  guarded.close();
}

Publisher::Publisher(PublisherOptions options) : state_(std::make_unique<State>(options)) {
  state_->thread = std::jthread([state = state_.get()](const std::stop_token& stop) { state->run(stop); });
}

Publisher::~Publisher() {
  state_->thread.request_stop();
  state_->guarded.ring();
  state_->thread.join();
}

void Publisher::take(const SharedMessage& message) {
  state_->queue.push(message);
  state_->guarded.ring();
}

std::uint64_t Publisher::lost() const {
  return state_->queue.lost();
}

std::uint64_t Publisher::sent() const {
  return state_->sent;
}

std::uint64_t Publisher::waiting() const {
  return state_->queue.waiting();
}

const std::string& Publisher::endpoint() const {
  return state_->guarded.endpoint();
}

void Publisher::allow(Clients clients) {
  state_->guarded.allow(std::move(clients));
}

}  // namespace palisade
