#include "service/zmtp_client.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <atomic>
#include <string>
#include <thread>
#include <zmq.hpp>

#include "service/bench/memory.h"
#include "service/command_line.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

ZmtpClientOptions watching(const std::string& endpoint, const std::string& prefix = "t") {
  return {.endpoint = endpoint,
          .socket_type = "SUB",
          .peer_types = {"PUB", "XPUB"},
          .limits = {.message_bytes = 100'000, .parts = 2},
          .hello = zmtp_message({"\x01" + prefix})};
}

std::optional<ZmtpItem> wait_for_item(ZmtpClient& client) {
  const auto until = std::chrono::steady_clock::now() + 30s;
  std::optional<ZmtpItem> item;
  while (!item && std::chrono::steady_clock::now() < until) item = client.receive(50ms);
  return item;
}

// A service that greets whoever connects and then sends these bytes again and again.
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

}  // namespace

TEST_CASE("zmtp client: hears libzmq's publisher, and hears it again when it comes back") {
  zmq::context_t context;
  std::string endpoint = "tcp://127.0.0.1:*";
  std::optional<ZmtpClient> client;
  for (int life = 0; life < 2; ++life) {
    zmq::socket_t publisher(context, zmq::socket_type::xpub);
    publisher.set(zmq::sockopt::linger, 0);
    publisher.bind(endpoint);
    endpoint = publisher.get(zmq::sockopt::last_endpoint);
    if (!client) client.emplace(watching(endpoint));
    std::jthread reader([&](const std::stop_token& stop) {
      zmq::message_t subscription;
      publisher.set(zmq::sockopt::rcvtimeo, 20);
      while (!publisher.recv(subscription) && !stop.stop_requested()) {
      }
      publisher.send(zmq::str_buffer("other"), zmq::send_flags::none);
      publisher.send(zmq::str_buffer("topic"), zmq::send_flags::sndmore);
      publisher.send(zmq::str_buffer("body"), zmq::send_flags::none);
    });
    const auto item = wait_for_item(*client);
    REQUIRE(item.has_value());
    CHECK(item->parts == std::vector<std::string>{"topic", "body"});
  }
}

TEST_CASE(
    "zmtp client: a service that sends more than it may is cut off each time, and nothing of it stays") {
  log_from(LogLevel::kError);
  std::string parts;
  for (int i = 0; i < 1000; ++i) parts += std::string("\x01\0", 2);
  for (const std::string& bytes :
       {parts, std::string("\x03\0\0\0\0\xff\xff\xff\xff", 9) + std::string(60'000, 'x'),
        zmtp_command("PING", std::string(40, 'x')), std::string(64, '\x7f')}) {
    const Flood flood(bytes);
    ZmtpClient client(watching(flood.endpoint()));
    const auto before = resident_memory();
    const auto until = std::chrono::steady_clock::now() + 30s;
    while (flood.served < 2 && std::chrono::steady_clock::now() < until)
      CHECK_FALSE(client.receive(50ms).has_value());
    CHECK(flood.served >= 2);
    CHECK(resident_memory() < before + (32u << 20));
  }
}

TEST_CASE("zmtp client: what is no endpoint is told at once") {
  for (const char* const bad :
       {"", "udp://127.0.0.1:1", "tcp://127.0.0.1", "tcp://", "ipc://", "ipc://@abstract"})
    CHECK_THROWS_AS(ZmtpClient(watching(bad)), UsageError);
  ZmtpClient nobody(watching("tcp://127.0.0.1:1"));
  CHECK_FALSE(nobody.receive(50ms).has_value());
  CHECK_FALSE(nobody.lost_after_hello());
}
