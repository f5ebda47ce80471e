#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/format.h"

namespace palisade::test {

// A web server of the loopback that answers one request after the other with what a test says.
class HttpServer {
 public:
  // Sends a part of the answer; false once the peer or the test has gone.
  using Send = std::function<bool(std::string_view)>;
  using Answer = std::function<void(const std::string& request, const Send& send)>;

  // `reads`: waits for the request before it answers.
  explicit HttpServer(Answer answer, std::string host = "127.0.0.1", bool reads = true)
      : answer_(std::move(answer)), host_(std::move(host)), reads_(reads) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, host_.c_str(), &address.sin_addr);
    socklen_t size = sizeof address;
    ::bind(socket_, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    ::listen(socket_, 8);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](std::stop_token stop) { serve(stop); });
  }
  ~HttpServer() {
    thread_ = {};
    ::close(socket_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string url(const std::string& path) const {
    return format("http://{}:{}{}", host_, port_, path);
  }
  int port() const { return port_; }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd waiting{socket_, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int peer = ::accept(socket_, nullptr, nullptr);
      if (peer < 0) continue;
      const std::string request = reads_ ? read_request(peer) : "";
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      answer_(request, [&](std::string_view text) {
        return !stop.stop_requested() &&
               ::send(peer, text.data(), text.size(), MSG_NOSIGNAL) == ssize_t(text.size());
      });
      ::close(peer);
    }
  }

  static std::string read_request(int peer) {
    std::string request;
    char part[2048];
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::recv(peer, part, sizeof part, 0);
      if (got <= 0) break;
      request.append(part, std::size_t(got));
    }
    return request;
  }

  Answer answer_;
  std::string host_;
  bool reads_ = true;
  int socket_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::jthread thread_;
};

// Says `answer` as soon as anybody connects, and then nothing more.
class RawServer {
 public:
  explicit RawServer(std::string answer)
      : server_(
            [answer = std::move(answer)](const std::string&, const HttpServer::Send& send) {
              send(answer);
              while (send("")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
            },
            "127.0.0.1", false) {}
  int port() const { return server_.port(); }

 private:
  HttpServer server_;
};

inline std::string response(const std::string& status, const std::string& headers,
                            const std::string& body = {}) {
  return format("HTTP/1.1 {}\r\n{}Content-Length: {}\r\nConnection: close\r\n\r\n{}", status, headers, body.size(), body);
}

// Answers a request for a range of `whole` as web servers do, but sends at most so many bytes of what it
// announces before the connection ends.
inline void send_part(const std::string& request, const std::string& whole, const HttpServer::Send& send,
                      std::size_t at_most = std::string::npos) {
  const std::size_t asked = request.find("Range: bytes=");
  const std::size_t first = asked == std::string::npos ? 0 : std::stoul(request.substr(asked + 13));
  const std::string head =
      format("HTTP/1.1 206 Partial\r\nAccept-Ranges: bytes\r\nContent-Range: bytes {}-{}/{}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", first, whole.size() - 1, whole.size(), whole.size() - first);
  send(head + whole.substr(first, at_most));
}

}  // namespace palisade::test
