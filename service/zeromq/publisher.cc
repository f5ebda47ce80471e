#include "service/zeromq/publisher.h"

#include <sys/eventfd.h>

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "base/format.h"
#include "base/log.h"
#include "service/endpoints/endpoint.h"
#include "service/events/sink_queue.h"
#include "service/zeromq/peer_guard.h"

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

zmq::socket_t publishing_socket(zmq::context_t& context, const std::optional<ServiceKeys>& keys) {
  zmq::socket_t socket(context, zmq::socket_type::xpub);
  if (keys) encrypt_service(socket, keys->own);
  socket.set(zmq::sockopt::xpub_verbose, 1);  // report every subscription, not only the first to a topic
  socket.set(zmq::sockopt::sndhwm, kHighWaterMark);
  socket.set(zmq::sockopt::linger, kLingerMs);
  socket.set(zmq::sockopt::maxmsgsize, std::int64_t(keys ? kMaxHandshakeBytes : kMaxSubscriptionBytes));
  socket.set(zmq::sockopt::heartbeat_ivl, 10'000);
  socket.set(zmq::sockopt::heartbeat_timeout, 30'000);
  return socket;
}

std::unique_ptr<ZapDoor> door_of(zmq::context_t& context, const std::optional<ServiceKeys>& keys) {
  return keys ? std::make_unique<ZapDoor>(context, "publisher", keys->clients) : nullptr;
}

PeerRules subscriber_rules(bool encrypted) {
  return {.name = "publisher",
          .peer_types = {"SUB", "XSUB"},
          .message = {.message_bytes = kMaxSubscriptionBytes, .parts = 1, .encrypted = encrypted},
          .only_subscribes = true};
}

}  // namespace

struct Publisher::State {
  explicit State(const PublisherOptions& options)
      : context(PeerGuard::context()),
        door(door_of(context, options.keys)),
        socket(publishing_socket(context, options.keys)),
        peer_guard(PeerGuard::bind(socket, options.endpoint, "--publish",
                                   subscriber_rules(options.keys.has_value()))),
        endpoint(peer_guard->endpoint()),
        wake(wake_descriptor()),
        queue(options.queue_depth) {}

  void run(const std::stop_token& stop);
  void ring() const { eventfd_write(wake.number(), 1); }
  void wait();
  void send(const Message& message);
  void send_waiting();
  void read_subscriptions();
  void send_states();

  zmq::context_t context;
  std::unique_ptr<ZapDoor> door;  // the thread's once it runs; null without keys
  zmq::socket_t socket;           // likewise
  std::mutex guarding;
  std::optional<PeerGuard> peer_guard;  // guarded by `guarding`: ended by the thread, asked by others
  const std::string endpoint;
  const Descriptor wake;
  SinkQueue queue;

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
  std::vector<zmq::pollitem_t> items{{socket.handle(), 0, ZMQ_POLLIN, 0},
                                     {nullptr, wake.number(), ZMQ_POLLIN, 0}};
  if (door) items.push_back({door->socket().handle(), 0, ZMQ_POLLIN, 0});
  zmq::poll(items, std::chrono::ceil<milliseconds>(until - now));
  eventfd_t rung = 0;
  eventfd_read(wake.number(), &rung);
}

void Publisher::State::send(const Message& message) {
  socket.send(zmq::buffer(message.topic), zmq::send_flags::sndmore | zmq::send_flags::dontwait);
  socket.send(zmq::buffer(message.json), zmq::send_flags::dontwait);
}

void Publisher::State::send_waiting() {
  for (const SharedMessage& message : queue.take_all()) {
    send(*message);
    if (message->kind == EventKind::kState) states[message->topic] = message;
  }
  const std::uint64_t lost = queue.lost(), untold = lost - std::exchange(told_lost, lost);
  if (const auto count = full.count(untold, steady_clock::now()))
    log_warning(format("publisher: dropped {} events, its queue was full", *count));
}

void Publisher::State::read_subscriptions() {
  zmq::message_t message;
  for (int i = 0; i < kMaxSubscriptionsPerTurn && socket.recv(message, zmq::recv_flags::dontwait); ++i) {
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
    if (door) door->answer();
    send_waiting();
    read_subscriptions();
    send_states();
  }
  send_waiting();
  socket.close();
  door.reset();
  context.close();
  const std::lock_guard lock(guarding);
  peer_guard.reset();
}

Publisher::Publisher(PublisherOptions options) : state_(std::make_unique<State>(options)) {
  state_->thread = std::jthread([state = state_.get()](const std::stop_token& stop) { state->run(stop); });
}

Publisher::~Publisher() {
  state_->thread.request_stop();
  state_->ring();
  state_->thread.join();
}

void Publisher::take(const SharedMessage& message) {
  state_->queue.push(message);
  state_->ring();
}

std::uint64_t Publisher::lost() const {
  return state_->queue.lost();
}

const std::string& Publisher::endpoint() const {
  return state_->endpoint;
}

void Publisher::allow(Clients clients) {
  if (!state_->door || !state_->door->allow(std::move(clients))) return;
  const std::lock_guard lock(state_->guarding);
  if (state_->peer_guard) state_->peer_guard->cut_off_all();
}

}  // namespace palisade
