#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace palisade::test {

// A web server of the loopback that answers one request after the other with what a test says.
class HttpServer {
 public:
  // Sends a part of the answer; false once the peer or the test has gone.
  using Send = std::function<bool(std::string_view)>;
  using Answer = std::function<void(const std::string& request, const Send& send)>;

  explicit HttpServer(Answer answer) : answer_(std::move(answer)) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
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
    return "http://127.0.0.1:" + std::to_string(port_) + path;
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
      const std::string request = read_request(peer);
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
  int socket_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::jthread thread_;
};

}  // namespace palisade::test
