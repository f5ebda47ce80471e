#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/format.h"
#include "tests/ingest/loopback_server.h"

namespace palisade::test {

// A web server on the loopback that answers one request after the other with a test's function.
class HttpServer {
 public:
  // Sends a part of the answer; false once the client has gone or the server ends.
  using Send = std::function<bool(std::string_view)>;
  using Answer = std::function<void(const std::string& request, const Send& send)>;

  explicit HttpServer(Answer answer, const std::string& host = "127.0.0.1")
      : answer_(std::move(answer)), host_(host), server_([this](LoopbackPeer& peer) { serve(peer); }, host) {}

  std::string url(const std::string& path) const { return format("http://{}:{}{}", host_, port(), path); }
  int port() const { return server_.port(); }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve(LoopbackPeer& peer) {
    const std::lock_guard turn(turn_);
    std::string request;
    while (request.find("\r\n\r\n") == std::string::npos) {
      const std::string part = peer.receive();
      if (part.empty()) break;
      request += part;
    }
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    answer_(request, [&](std::string_view text) { return peer.send(text); });
  }

  const Answer answer_;
  const std::string host_;
  std::mutex turn_;  // held while a request is answered
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;  // guarded by mutex_
  LoopbackServer server_;              // the last member, because its threads use all others
};

// Sends `answer` as soon as anybody connects, and then nothing more.
class RawServer {
 public:
  explicit RawServer(std::string answer)
      : server_([answer = std::move(answer)](LoopbackPeer& peer) {
          peer.send(answer);
          while (!peer.receive().empty()) continue;
        }) {}
  int port() const { return server_.port(); }

 private:
  LoopbackServer server_;
};

inline std::string response(const std::string& status, const std::string& headers,
                            const std::string& body = {}) {
  return format("HTTP/1.1 {}\r\n{}Content-Length: {}\r\nConnection: close\r\n\r\n{}", status, headers,
                body.size(), body);
}

// Answers a request for a range of `whole` like a web server, but closes the connection after at most
// `at_most` bytes of the body.
inline void send_part(const std::string& request, const std::string& whole, const HttpServer::Send& send,
                      std::size_t at_most = std::string::npos) {
  const std::size_t asked = request.find("Range: bytes=");
  const std::size_t first = asked == std::string::npos ? 0 : std::stoul(request.substr(asked + 13));
  const std::string head = format(
      "HTTP/1.1 206 Partial\r\nAccept-Ranges: bytes\r\nContent-Range: bytes {}-{}/{}\r\nContent-Length: "
      "{}\r\nConnection: close\r\n\r\n",
      first, whole.size() - 1, whole.size(), whole.size() - first);
  send(head + whole.substr(first, at_most));
}

}  // namespace palisade::test
