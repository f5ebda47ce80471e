#include "service/zeromq/replay.h"

#include <sys/eventfd.h>

#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "service/endpoints/endpoint.h"
#include "service/zeromq/peer_guard.h"
#include "tasks/events/event.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxAskBytes = 4096, kMaxAskParts = 4;
constexpr std::size_t kMaxHeaderBytes = 64u << 10;
constexpr int kWaitingAsks = 16, kUnsentAnswers = 16, kLastAnswersMs = 200;

PeerRules replay_rules(bool encrypted) {
  return {.name = "replay",
          .peer_types = {"REQ", "DEALER"},
          .message = {.message_bytes = kMaxAskBytes, .parts = kMaxAskParts, .encrypted = encrypted},
          .max_peers = 64};
}

zmq::socket_t answering_socket(zmq::context_t& context, const std::optional<ServiceKeys>& keys) {
  zmq::socket_t socket(context, zmq::socket_type::router);
  if (keys) encrypt_service(socket, keys->own);
  socket.set(zmq::sockopt::linger, kLastAnswersMs);
  socket.set(zmq::sockopt::rcvhwm, kWaitingAsks);
  socket.set(zmq::sockopt::sndhwm, kUnsentAnswers);
  socket.set(zmq::sockopt::maxmsgsize, std::int64_t(kMaxAskBytes));
  return socket;
}

// All parts of the next message; empty where there is none.
std::vector<std::string> receive(zmq::socket_t& socket, zmq::recv_flags flags) {
  std::vector<std::string> parts;
  zmq::message_t part;
  do {
    if (!socket.recv(part, parts.empty() ? flags : zmq::recv_flags::none)) break;
    parts.push_back(part.to_string());
  } while (part.more());
  return parts;
}

void send(zmq::socket_t& socket, const std::vector<std::string>& parts) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto more = i + 1 < parts.size() ? zmq::send_flags::sndmore : zmq::send_flags::none;
    socket.send(zmq::buffer(parts[i]), more | zmq::send_flags::dontwait);
  }
}

}  // namespace

struct ReplayServer::State {
  State(const std::string& wanted, Handle its_handle, const std::optional<ServiceKeys>& keys)
      : handle(std::move(its_handle)),
        context(PeerGuard::context()),
        door(keys ? std::make_unique<ZapDoor>(context, "replay", keys->clients) : nullptr),
        socket(answering_socket(context, keys)),
        peer_guard(PeerGuard::bind(socket, wanted, "'replay'", replay_rules(keys.has_value()))),
        endpoint(peer_guard->endpoint()),
        wake(wake_descriptor()) {
    thread = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~State() {
    thread.request_stop();
    eventfd_write(wake.number(), 1);
    thread.join();
  }

  void run(const std::stop_token& stop);
  // `request`: who asks, an empty part where it is a REQ, and the question.
  void serve(std::vector<std::string> request);
  std::vector<std::string> answer_to(const std::string& question);

  const Handle handle;
  zmq::context_t context;
  std::unique_ptr<ZapDoor> door;  // the thread's once it runs; null without keys
  zmq::socket_t socket;           // likewise
  std::mutex guarding;
  std::optional<PeerGuard> peer_guard;  // guarded by `guarding`: ended by the thread, asked by others
  const std::string endpoint;
  const Descriptor wake;
  OncePerSecond refused;
  std::jthread thread;
};

std::vector<std::string> ReplayServer::State::answer_to(const std::string& question) {
  try {
    ReplayAnswer answer = handle(replay_request_of(question));
    std::vector<std::string> parts{header_of(answer)};
    for (auto& [topic, body] : answer.events) {
      parts.push_back(std::move(topic));
      parts.push_back(std::move(body));
    }
    return parts;
  } catch (const std::exception& error) {
    if (const auto count = refused.count(1, std::chrono::steady_clock::now()))
      log_warning("replay: " + std::string(error.what()) +
                  (*count > 1 ? " (" + std::to_string(*count) + " refused)" : ""));
    return {Json{{"error", error.what()}}.dump(-1, ' ', false, Json::error_handler_t::replace)};
  }
}

void ReplayServer::State::serve(std::vector<std::string> request) {
  if (request.size() < 2) return;
  const std::string question = std::move(request.back());
  request.pop_back();
  for (std::string& part : answer_to(question)) request.push_back(std::move(part));
  try {
    send(socket, request);
  } catch (const zmq::error_t&) {
    // Who asked has gone, or does not read what it asks for.
  }
}

void ReplayServer::State::run(const std::stop_token& stop) {
  std::vector<zmq::pollitem_t> items{{socket.handle(), 0, ZMQ_POLLIN, 0},
                                     {nullptr, wake.number(), ZMQ_POLLIN, 0}};
  if (door) items.push_back({door->socket().handle(), 0, ZMQ_POLLIN, 0});
  while (!stop.stop_requested()) {
    zmq::poll(items);
    if (door) door->answer();
    if (auto request = receive(socket, zmq::recv_flags::dontwait); !request.empty())
      serve(std::move(request));
  }
  socket.close();
  door.reset();
  context.close();
  const std::lock_guard lock(guarding);
  peer_guard.reset();
}

ReplayServer::ReplayServer(const std::string& endpoint, Handle handle, const std::optional<ServiceKeys>& keys)
    : state_(std::make_unique<State>(endpoint, std::move(handle), keys)) {}
ReplayServer::~ReplayServer() = default;

void ReplayServer::allow(Clients clients) {
  if (!state_->door || !state_->door->allow(std::move(clients))) return;
  const std::lock_guard lock(state_->guarding);
  if (state_->peer_guard) state_->peer_guard->cut_off_all();
}

const std::string& ReplayServer::endpoint() const {
  return state_->endpoint;
}

struct ReplayClient::Connection {
  Connection(const std::string& endpoint, const std::optional<ClientKeys>& keys)
      : context(PeerGuard::context()), socket(context, zmq::socket_type::dealer) {
    if (keys) encrypt_client(socket, *keys);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::maxmsgsize, std::int64_t(2 * kMaxEventBytes));
    guard.emplace(PeerGuard::connect(socket, endpoint,
                                     {.name = endpoint,
                                      .peer_types = {"ROUTER"},
                                      .message = {.message_bytes = kMaxHeaderBytes + 2 * kMaxReplayedBytes,
                                                  .parts = 2 * kMaxReplayedEvents + 2,
                                                  .encrypted = keys.has_value()}}));
  }

  std::optional<PeerGuard> guard;  // ends after the socket
  zmq::context_t context;
  zmq::socket_t socket;
};

ReplayClient::ReplayClient(const std::string& endpoint, std::optional<ClientKeys> keys)
    : endpoint_(endpoint), keys_(std::move(keys)) {}
ReplayClient::~ReplayClient() = default;

ReplayAnswer ReplayClient::ask(const std::string& json, std::chrono::milliseconds patience) {
  if (!connection_) connection_ = std::make_unique<Connection>(endpoint_, keys_);
  zmq::socket_t& socket = connection_->socket;
  socket.set(zmq::sockopt::rcvtimeo, int(patience.count()));
  socket.set(zmq::sockopt::sndtimeo, int(patience.count()));
  std::vector<std::string> parts;
  if (socket.send(zmq::buffer(json), zmq::send_flags::none)) parts = receive(socket, zmq::recv_flags::none);
  if (parts.empty()) {
    connection_.reset();  // an answer that comes later is to none of the next questions
    throw Unavailable("nobody answers on " + endpoint_ +
                      "; is the service running with 'replay: " + endpoint_ + "'?");
  }
  const Json header = parse_json(parts.front(), "the answer of " + endpoint_);
  if (header.is_object() && header.contains("error"))
    throw Unavailable(endpoint_ + ": " + header["error"].dump());
  ReplayAnswer answer;
  try {
    answer.position = header.at("position").get<std::int64_t>();
    answer.more = header.at("more").get<bool>();
    if (parts.size() % 2 == 0) throw Error(endpoint_ + ": an answer that is cut short");
  } catch (const Json::exception& error) {
    throw Error(endpoint_ + ": not an answer of a replay endpoint: " + error.what());
  }
  for (std::size_t i = 1; i < parts.size(); i += 2)
    answer.events.emplace_back(std::move(parts[i]), std::move(parts[i + 1]));
  return answer;
}

}  // namespace palisade
