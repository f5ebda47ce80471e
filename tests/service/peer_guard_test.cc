// PeerGuard and PeerJudge. hostile_peers_test.cc tests hostile peers of a publisher and of control.
#include "service/zeromq/peer_guard.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <zmq.hpp>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "service/bench/memory.h"
#include "service/endpoints/endpoint.h"
#include "service/zeromq/peer_judge.h"
#include "tests/service/zmtp_writer.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

PeerRules publisher_rules() {
  return {.name = "test", .peer_types = {"PUB", "XPUB"}, .message = {.message_bytes = 100'000, .parts = 2}};
}

// A guarded subscriber of all topics.
struct GuardedSubscriber {
  explicit GuardedSubscriber(const std::string& endpoint) : socket(context, zmq::socket_type::sub) {
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::rcvtimeo, 50);
    socket.set(zmq::sockopt::subscribe, "");
    guard.emplace(PeerGuard::connect(socket, endpoint, publisher_rules()));
  }
  std::optional<std::string> receive(std::chrono::seconds patience = 30s) {
    const auto until = std::chrono::steady_clock::now() + patience;
    zmq::message_t topic, body;
    while (std::chrono::steady_clock::now() < until) {
      if (socket.recv(topic) && socket.recv(body)) return topic.to_string() + " " + body.to_string();
    }
    return std::nullopt;
  }
  std::optional<PeerGuard> guard;
  zmq::context_t context = PeerGuard::context();
  zmq::socket_t socket;
};

// A service that completes the handshake with each client and then sends these bytes repeatedly.
class Flood {
 public:
  explicit Flood(std::string bytes) : bytes_(std::move(bytes)) {
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) serve_one();
    });
  }
  const std::string& endpoint() const { return listener_.endpoint(); }
  std::atomic<int> served = 0;

 private:
  void serve_one() {
    const Descriptor peer(accept4(listener_.number(), nullptr, nullptr, SOCK_CLOEXEC));
    if (peer.number() < 0) return std::this_thread::yield();
    std::string rest = zmtp_greeting() + zmtp_ready("XPUB");
    for (std::size_t sent = 0; sent < 400'000'000; sent += rest.size(), rest = bytes_) {
      if (send(peer.number(), rest.data(), rest.size(), MSG_NOSIGNAL) != ssize_t(rest.size())) break;
    }
    ++served;
  }
  const std::string bytes_;
  Listener listener_{"tcp://127.0.0.1:*", "nowhere"};
  std::jthread thread_;
};

// libzmq closes sockets in the background, so the port of an ended publisher may still be in use for a
// moment.
void bind_in_time(zmq::socket_t& socket, const std::string& endpoint) {
  const auto until = std::chrono::steady_clock::now() + 30s;
  while (zmq_bind(socket.handle(), endpoint.c_str()) != 0 && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
}

void judge(const std::string& bytes, const PeerRules& rules) {
  PeerJudge(rules).take(zmtp_greeting() + zmtp_ready("SUB") + bytes, std::chrono::steady_clock::now());
}

}  // namespace

TEST_CASE("a guarded subscriber hears a publisher, and hears it again when it comes back") {
  zmq::context_t context;
  std::string endpoint = "tcp://127.0.0.1:*";
  std::optional<GuardedSubscriber> subscriber;
  for (int life = 0; life < 2; ++life) {
    CAPTURE(life);
    zmq::socket_t publisher(context, zmq::socket_type::xpub);
    publisher.set(zmq::sockopt::linger, 0);
    bind_in_time(publisher, endpoint);
    endpoint = publisher.get(zmq::sockopt::last_endpoint);
    if (!subscriber) subscriber.emplace(endpoint);
    std::jthread reader([&](const std::stop_token& stop) {
      zmq::message_t subscription;
      publisher.set(zmq::sockopt::rcvtimeo, 20);
      while (!publisher.recv(subscription) && !stop.stop_requested()) {
      }
      publisher.send(zmq::str_buffer("topic"), zmq::send_flags::sndmore);
      publisher.send(zmq::str_buffer("body"), zmq::send_flags::none);
    });
    CHECK(subscriber->receive() == "topic body");
  }
}

TEST_CASE("what a guarded socket has sent before it closes arrives whole") {
  constexpr int kMessages = 900;
  GuardedSubscriber subscriber(format("ipc:///tmp/palisade-guard-test-{}", getpid()));
  std::optional<PeerGuard> guard;
  {
    zmq::context_t context = PeerGuard::context();
    zmq::socket_t publisher(context, zmq::socket_type::xpub);
    publisher.set(zmq::sockopt::linger, 20'000);
    guard.emplace(PeerGuard::bind(publisher, subscriber.guard->endpoint(), "nowhere",
                                  {.name = "test", .peer_types = {"SUB"}, .only_subscribes = true}));
    zmq::message_t subscription;
    REQUIRE(publisher.recv(subscription));
    for (int i = 0; i < kMessages; ++i) {
      publisher.send(zmq::buffer(std::to_string(i)), zmq::send_flags::sndmore);
      publisher.send(zmq::buffer(std::string(10'000, 'x')), zmq::send_flags::none);
    }
  }
  std::jthread ending([&guard] { guard.reset(); });
  int arrived = 0;
  while (arrived < kMessages && subscriber.receive()) ++arrived;
  CHECK(arrived == kMessages);
}

TEST_CASE("a service that sends more than it may is cut off each time, and nothing of it stays") {
  log_from(LogLevel::kError);
  std::string parts;
  for (int i = 0; i < 1000; ++i) parts += std::string("\x01\0", 2);
  for (const std::string& bytes :
       {parts, std::string("\x03\0\0\0\0\xff\xff\xff\xff", 9) + std::string(60'000, 'x'),
        zmtp_command("PING", std::string(40, 'x')), std::string(64, '\x7f')}) {
    const Flood flood(bytes);
    GuardedSubscriber subscriber(flood.endpoint());
    const auto before = resident_memory();
    const auto until = std::chrono::steady_clock::now() + 30s;
    while (flood.served < 2 && std::chrono::steady_clock::now() < until)
      CHECK_FALSE(subscriber.receive(0s).has_value());
    CHECK(flood.served >= 2);
    CHECK(resident_memory() < before + (32u << 20));
  }
}

TEST_CASE("what is no endpoint of a service is told at once") {
  for (const char* const bad : {"", "udp://127.0.0.1:1", "tcp://127.0.0.1", "tcp://127.0.0.1:", "tcp://",
                                "ipc://", "ipc://@abstract"})
    CHECK_THROWS_AS(GuardedSubscriber{bad}, UsageError);
  GuardedSubscriber nobody("tcp://127.0.0.1:1");
  CHECK_FALSE(nobody.receive(0s).has_value());
}

TEST_CASE("a subscriber sends subscriptions, 256 of them at a time, and few PINGs") {
  const PeerRules rules{.name = "test",
                        .peer_types = {"SUB"},
                        .message = {.message_bytes = 300, .parts = 1},
                        .only_subscribes = true};
  std::string many, turns, pings;
  for (int i = 0; i < 257; ++i) {
    const std::string topic = std::to_string(i);
    many += i % 2 == 0 ? zmtp_message({"\x01" + topic}) : zmtp_command("SUBSCRIBE", topic);
    turns += zmtp_message({"\x01" + topic}) + zmtp_command("CANCEL", topic);
  }
  for (int i = 0; i < 101; ++i) pings += zmtp_command("PING", std::string("\0\x0a", 2));
  for (const std::string& bytes : {many, pings, zmtp_message({"text"}), zmtp_message({""}),
                                   zmtp_message({"\x01" + std::string(257, 'a')}), zmtp_command("PING", "x"),
                                   zmtp_command("PING", std::string(19, 'x'))}) {
    CAPTURE(bytes);
    CHECK_THROWS_AS(judge(bytes, rules), ZmtpFault);
  }
  CHECK_NOTHROW(judge(turns, rules));
  CHECK_NOTHROW(judge(pings.substr(zmtp_command("PING", "xx").size()), rules));
  // Messages of another socket do not count.
  CHECK_NOTHROW(judge(zmtp_message({"text"}), {.name = "test", .peer_types = {"SUB"}, .message = {}}));
}
