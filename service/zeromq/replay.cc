#include "service/zeromq/replay.h"

#include <optional>
#include <thread>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "service/zeromq/guarded_socket.h"
#include "tasks/events/event.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxAskBytes = 4096, kMaxAskParts = 4;
constexpr std::size_t kMaxHeaderBytes = 64u << 10;
constexpr int kWaitingAsks = 16, kUnsentAnswers = 16, kLastAnswersMs = 200;

GuardedSocketOptions answering_options(const std::string& endpoint, const std::optional<ServiceKeys>& keys) {
  return {.type = ZMQ_ROUTER,
          .endpoint = endpoint,
          .setting = "'replay'",
          .rules = {.name = "replay",
                    .peer_types = {"REQ", "DEALER"},
                    .message = {.message_bytes = kMaxAskBytes, .parts = kMaxAskParts},
                    .max_peers = 64},
          .keys = keys,
          .configure = [](zmq::socket_t& socket) {
            socket.set(zmq::sockopt::linger, kLastAnswersMs);
            socket.set(zmq::sockopt::rcvhwm, kWaitingAsks);
            socket.set(zmq::sockopt::sndhwm, kUnsentAnswers);
            socket.set(zmq::sockopt::maxmsgsize, std::int64_t(kMaxAskBytes));
          }};
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
      : handle(std::move(its_handle)), guarded(answering_options(wanted, keys)) {
    thread = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~State() {
    thread.request_stop();
    guarded.ring();
    thread.join();
  }

  void run(const std::stop_token& stop);
  // `request`: who asks, an empty part where it is a REQ, and the question.
  void serve(std::vector<std::string> request);
  std::vector<std::string> answer_to(const std::string& question);

  const Handle handle;
  GuardedSocket guarded;
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
      log_warning(format("replay: {}{}", error.what(), *count > 1 ? format(" ({} refused)", *count) : ""));
    return {Json{{"error", error.what()}}.dump(-1, ' ', false, Json::error_handler_t::replace)};
  }
}

void ReplayServer::State::serve(std::vector<std::string> request) {
  if (request.size() < 2) return;
  const std::string question = std::move(request.back());
  request.pop_back();
  for (std::string& part : answer_to(question)) request.push_back(std::move(part));
  try {
    send(guarded.socket(), request);
  } catch (const zmq::error_t&) {
    // Who asked has gone, or does not read what it asks for.
  }
}

void ReplayServer::State::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    guarded.wait();
    if (auto request = receive(guarded.socket(), zmq::recv_flags::dontwait); !request.empty())
      serve(std::move(request));
  }
  guarded.close();
}

ReplayServer::ReplayServer(const std::string& endpoint, Handle handle, const std::optional<ServiceKeys>& keys)
    : state_(std::make_unique<State>(endpoint, std::move(handle), keys)) {}
ReplayServer::~ReplayServer() = default;

void ReplayServer::allow(Clients clients) {
  state_->guarded.allow(std::move(clients));
}

const std::string& ReplayServer::endpoint() const {
  return state_->guarded.endpoint();
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
