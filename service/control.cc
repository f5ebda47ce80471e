#include "service/control.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "model/json.h"
#include "service/command_line.h"
#include "service/log.h"
#include "service/zmtp_client.h"
#include "service/zmtp_server.h"

namespace palisade {
namespace {

constexpr ZmtpLimits kRequestLimits{.message_bytes = 4096, .parts = 8};
constexpr ZmtpLimits kReplyLimits{.message_bytes = 8192, .parts = 2};
constexpr std::chrono::milliseconds kLongestTurn{1000};
constexpr std::chrono::milliseconds kLastReplies{200};

ZmtpServerOptions control_options(const std::string& endpoint) {
  return {.endpoint = endpoint,
          .setting = "'control'",
          .name = "control",
          .socket_type = "REP",
          .peer_types = {"REQ", "DEALER"},
          .limits = kRequestLimits,
          .most_peers = 16,
          .queue_messages = 64,
          .queue_bytes = 256u << 10};
}

}  // namespace

struct Control::State {
  State(const std::string& wanted, Handle its_handle)
      : handle(std::move(its_handle)),
        server(control_options(wanted),
               [this](ZmtpServer::Peer who, ZmtpItem item) { take(who, std::move(item)); }),
        endpoint(server.endpoint()),
        wake(wake_descriptor()) {
    thread = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~State() {
    thread.request_stop();
    eventfd_write(wake.number(), 1);
    thread.join();
  }

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) server.turn(kLongestTurn, wake.number());
    server.drain(kLastReplies);
  }

  // A request is what follows an empty part; what stands before it is the peer's and goes back.
  void take(ZmtpServer::Peer who, ZmtpItem item) {
    const auto empty = std::ranges::find(item.parts, std::string());
    if (!item.command.empty() || empty == item.parts.end()) throw ZmtpFault("sent what is no request");
    std::string text;
    for (auto part = empty + 1; part != item.parts.end(); ++part) text += *part;
    item.parts.erase(empty + 1, item.parts.end());
    item.parts.push_back(reply_to(text).dump(-1, ' ', false, Json::error_handler_t::replace));
    if (!server.send(who, std::make_shared<const std::string>(zmtp_message(item.parts))))
      throw ZmtpFault("asks and does not read the answers");
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
    if (count)
      log_warning("control: " + *fault + (*count > 1 ? " (" + std::to_string(*count) + " refused)" : ""));
    return {{"error", *fault}};
  }

  const Handle handle;
  ZmtpServer server;  // the thread's once it runs
  const std::string endpoint;
  const Descriptor wake;
  OncePerSecond refused;
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
  const auto until = std::chrono::steady_clock::now() + patience;
  const auto left = [&] {
    return std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  };
  ZmtpClient client({.endpoint = endpoint,
                     .socket_type = "REQ",
                     .peer_types = {"REP", "ROUTER"},
                     .limits = kReplyLimits,
                     .hello = zmtp_message({"", json_text(request)})});
  std::optional<ZmtpItem> reply;
  while (!reply && left().count() > 0) {
    reply = client.receive(left());
    // Asked once and not again: nobody knows whether it was done.
    if (!reply && client.lost_after_hello())
      throw Unavailable("the service on " + endpoint +
                        " ended the connection instead of an answer; is the request over 4 KiB?");
  }
  if (!reply) {
    throw Unavailable("no service answers on " + endpoint + "; is it running with 'control: " + endpoint +
                      "'?");
  }
  const Json json = parse_json(reply->parts.back(), "the service's reply");
  if (json.is_object() && json.contains("error") && json["error"].is_string())
    return json["error"].get<std::string>();
  return std::nullopt;
}

}  // namespace palisade
