#include "service/control.h"

#include <sys/stat.h>

#include <stop_token>
#include <thread>
#include <utility>
#include <zmq.hpp>

#include "model/json.h"
#include "service/command_line.h"
#include "service/endpoint_lock.h"
#include "service/log.h"

namespace palisade {
namespace {

constexpr int kLargest = 4096;
constexpr std::chrono::milliseconds kTurn{100};

Json to_json(const ControlRequest& request) {
  Json json = {{"do", request.action}};
  if (!request.stream.empty()) json["stream"] = request.stream;
  if (!request.task.empty()) json["task"] = request.task;
  return json;
}

// Throws ModelError.
ControlRequest request_of(const std::string& text) {
  const Json json = parse_json(text, "the request");
  if (!json.is_object() || !json.contains("do")) throw ModelError("the request is no object with \"do\"");
  ControlRequest request;
  for (const auto& [key, value] : json.items()) {
    std::string* const field = key == "do"       ? &request.action
                               : key == "stream" ? &request.stream
                               : key == "task"   ? &request.task
                                                 : nullptr;
    if (field == nullptr) throw ModelError("the request has the unknown key \"" + key + "\"");
    if (!value.is_string()) throw ModelError("the request's \"" + key + "\" is no text");
    *field = value.get<std::string>();
  }
  return request;
}

}  // namespace

struct Control::State {
  State(const std::string& wanted, Handle its_handle)
      : handle(std::move(its_handle)), lock(lock_endpoint(wanted)), socket(context, zmq::socket_type::rep) {
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::maxmsgsize, std::int64_t(kLargest));
    try {
      socket.bind(wanted);
    } catch (const zmq::error_t& error) {
      throw Unavailable("cannot listen on " + wanted + ": " + error.what() + "; choose another 'control'");
    }
    if (wanted.starts_with("ipc://")) chmod(wanted.c_str() + 6, 0660);
    endpoint = socket.get(zmq::sockopt::last_endpoint);
    thread = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      zmq::pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
      if (zmq::poll(&item, 1, kTurn) == 0) continue;
      zmq::message_t message;
      if (!socket.recv(message, zmq::recv_flags::dontwait)) continue;
      std::string text = message.to_string();
      while (message.more() && socket.recv(message)) text += message.to_string();
      const std::string reply = reply_to(text).dump(-1, ' ', false, Json::error_handler_t::replace);
      socket.send(zmq::buffer(reply), zmq::send_flags::dontwait);
    }
  }

  Json reply_to(const std::string& text) const {
    std::optional<std::string> fault;
    try {
      fault = handle(request_of(text));
    } catch (const std::exception& error) {
      fault = error.what();
    }
    if (!fault) return {{"done", true}};
    log_warning("control: " + *fault);
    return {{"error", *fault}};
  }

  const Handle handle;
  const Descriptor lock;
  zmq::context_t context{1};
  zmq::socket_t socket;  // the thread's once it runs
  std::string endpoint;
  std::jthread thread;
};

Control::Control(const std::string& endpoint, Handle handle)
    : state_(std::make_unique<State>(endpoint, std::move(handle))) {}
Control::~Control() = default;

const std::string& Control::endpoint() const {
  return state_->endpoint;
}

std::optional<std::string> send_control(const std::string& endpoint, const ControlRequest& request,
                                        std::chrono::milliseconds patience) {
  zmq::context_t context{1};
  zmq::socket_t socket(context, zmq::socket_type::req);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::maxmsgsize, std::int64_t(2 * kLargest));
  socket.set(zmq::sockopt::rcvtimeo, int(patience.count()));
  socket.set(zmq::sockopt::sndtimeo, int(patience.count()));
  try {
    socket.connect(endpoint);
  } catch (const zmq::error_t&) {
    throw UsageError("'" + endpoint + "' is no endpoint; give ipc:///run/palisade/control");
  }
  const std::string text = to_json(request).dump();
  zmq::message_t reply;
  if (!socket.send(zmq::buffer(text)) || !socket.recv(reply)) {
    throw Unavailable("no service answers on " + endpoint + "; is it running with 'control: " + endpoint +
                      "'?");
  }
  const Json json = parse_json(reply.to_string(), "the service's reply");
  if (json.is_object() && json.contains("error") && json["error"].is_string())
    return json["error"].get<std::string>();
  return std::nullopt;
}

}  // namespace palisade
