#include "service/zeromq/control.h"

#include <optional>
#include <thread>
#include <utility>
#include <zmq.hpp>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "service/zeromq/guarded_socket.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxRequestBytes = 4096, kMaxReplyBytes = 8192;
constexpr int kWaitingRequests = 16;  // per peer
constexpr int kLastRepliesMs = 200;

GuardedSocketOptions replying_options(const std::string& endpoint) {
  return {.type = ZMQ_REP,
          .endpoint = endpoint,
          .setting = "'control'",
          .rules = {.name = "control",
                    .peer_types = {"REQ", "DEALER"},
                    .message = {.message_bytes = kMaxRequestBytes, .parts = 8},
                    .max_peers = 16},
          .keys = {},
          .configure = [](zmq::socket_t& socket) {
            socket.set(zmq::sockopt::linger, kLastRepliesMs);
            socket.set(zmq::sockopt::rcvhwm, kWaitingRequests);
            socket.set(zmq::sockopt::sndhwm, kWaitingRequests);
            socket.set(zmq::sockopt::maxmsgsize, std::int64_t(kMaxRequestBytes));
          }};
}

}  // namespace

struct Control::State {
  State(const std::string& wanted, Handle its_handle)
      : handle(std::move(its_handle)), guarded(replying_options(wanted)) {
    thread = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~State() {
    thread.request_stop();
    guarded.ring();
    thread.join();
  }

  void run(const std::stop_token& stop) {
    zmq::socket_t& socket = guarded.socket();
    while (!stop.stop_requested()) {
      guarded.wait();
      zmq::message_t part;
      if (!socket.recv(part, zmq::recv_flags::dontwait)) continue;
      std::string text = part.to_string();
      while (part.more() && socket.recv(part)) text += part.to_string();
      const std::string reply = reply_to(text).dump(-1, ' ', false, Json::error_handler_t::replace);
      socket.send(zmq::buffer(reply), zmq::send_flags::dontwait);
    }
    guarded.close();
  }

  Json reply_to(const std::string& text) {
    std::optional<std::string> fault;
    try {
      fault = handle(control_request_of(text));
    } catch (const std::exception& error) {
      fault = error.what();
    }
    if (!fault) return {{"done", true}};
    const auto count = refused.count(1, std::chrono::steady_clock::now());
    if (count) log_warning("control: " + *fault + (*count > 1 ? format(" ({} refused)", *count) : ""));
    return {{"error", *fault}};
  }

  const Handle handle;
  GuardedSocket guarded;
  OncePerSecond refused;
  std::jthread thread;
};

Control::Control(const std::string& endpoint, Handle handle)
    : state_(std::make_unique<State>(endpoint, std::move(handle))) {}
Control::~Control() = default;

const std::string& Control::endpoint() const {
  return state_->guarded.endpoint();
}

std::optional<std::string> send_control(const std::string& endpoint, const ControlRequest& request,
                                        std::chrono::milliseconds patience) {
  const std::string text = json_text(request);
  if (text.size() > kMaxRequestBytes)
    throw UsageError(format("the request has {} bytes; a service takes {}", text.size(), kMaxRequestBytes));
  std::optional<PeerGuard> peer_guard;  // declared before the socket, which must end first
  zmq::context_t context = PeerGuard::context();
  zmq::socket_t socket(context, zmq::socket_type::req);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::rcvtimeo, int(patience.count()));
  socket.set(zmq::sockopt::sndtimeo, int(patience.count()));
  peer_guard.emplace(PeerGuard::connect(socket, endpoint,
                                        {.name = endpoint,
                                         .peer_types = {"REP", "ROUTER"},
                                         .message = {.message_bytes = kMaxReplyBytes, .parts = 2}}));
  zmq::message_t reply;
  if (!socket.send(zmq::buffer(text), zmq::send_flags::none) || !socket.recv(reply)) {
    throw Unavailable("no service answers on " + endpoint + "; is it running with 'control: " + endpoint +
                      "'?");
  }
  const Json json = parse_json(reply.to_string(), "the service's reply");
  if (json.is_object() && json.contains("error") && json["error"].is_string())
    return json["error"].get<std::string>();
  return std::nullopt;
}

}  // namespace palisade
