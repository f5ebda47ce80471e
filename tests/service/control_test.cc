#include "service/zeromq/control.h"

#include <doctest/doctest.h>

#include <atomic>
#include <mutex>
#include <random>
#include <zmq.hpp>

#include "base/error.h"
#include "base/log.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

// The reply to a message of any bytes.
std::string raw(const std::string& endpoint, const std::string& text) {
  zmq::context_t context{1};
  zmq::socket_t socket(context, zmq::socket_type::req);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::rcvtimeo, 20'000);
  socket.connect(endpoint);
  socket.send(zmq::buffer(text));
  zmq::message_t reply;
  return socket.recv(reply) ? reply.to_string() : "";
}

}  // namespace

TEST_CASE("a request reaches the service, and its refusal comes back") {
  log_from(LogLevel::kError);
  std::mutex mutex;
  std::vector<std::string> seen;
  const Control control("tcp://127.0.0.1:*",
                        [&](const ControlRequest& request) -> std::optional<std::string> {
                          const std::lock_guard lock(mutex);
                          seen.push_back(request.action + " " + request.stream + " " + request.task);
                          if (request.stream == "nobody") return "no stream 'nobody'";
                          return std::nullopt;
                        });
  CHECK_FALSE(send_control(control.endpoint(), {"ask_now", "door", "pair"}, 20s));
  CHECK(send_control(control.endpoint(), {"ask_now", "nobody", "pair"}, 20s) == "no stream 'nobody'");
  const std::lock_guard lock(mutex);
  CHECK(seen == std::vector<std::string>{"ask_now door pair", "ask_now nobody pair"});
}

TEST_CASE("hostile requests get an error each, and the service goes on") {
  log_from(LogLevel::kError);
  std::atomic<int> handled = 0;
  const Control control("tcp://127.0.0.1:*", [&](const ControlRequest&) -> std::optional<std::string> {
    ++handled;
    return std::nullopt;
  });
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("{}"), std::string("7"),
        std::string(R"({"do": 7})"), std::string(R"({"do": "ask_now", "do": "ask_now"})"),
        std::string(R"({"do": "ask_now", "shell": "x"})"), std::string(2000, '['),
        std::string("\0\xff", 2)}) {
    CAPTURE(text);
    CHECK(raw(control.endpoint(), text).find("error") != std::string::npos);
  }
  std::mt19937 random(7);
  const std::string good = R"({"do": "ask_now", "stream": "door", "task": "pair"})";
  for (int i = 0; i < 200; ++i) {
    std::string bad = good;
    for (int k = 0; k < 3; ++k) bad[random() % bad.size()] = char(random());
    CHECK_FALSE(raw(control.endpoint(), bad).empty());
  }
  handled = 0;
  CHECK_FALSE(send_control(control.endpoint(), {"ask_now"}, 20s));
  CHECK(handled == 1);
}

TEST_CASE("where nobody listens one is told so") {
  CHECK_THROWS_WITH_AS(send_control("ipc:///tmp/palisade-nobody", {"ask_now"}, 200ms),
                       doctest::Contains("ipc:///tmp/palisade-nobody"), Unavailable);
}
