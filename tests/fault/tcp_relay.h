#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <list>
#include <random>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/format.h"

namespace palisade::test {

// A bad network on the loopback: relays TCP connections to a port, and delays, slows down, withholds, cuts or
// resets what comes back, as a test says. Settings may be changed while it runs. On raw sockets, because one
// poll() loop that decides about every byte is shorter than a coroutine for each direction.
class TcpRelay {
 public:
  std::atomic<int> delay_ms{0};           // of everything that comes back
  std::atomic<int> jitter_ms{0};          // up to so much more, without changing the order
  std::atomic<long> bytes_per_second{0};  // 0: no limit
  std::atomic<long> bytes_until_close{
      0};                          // closes once after so many bytes, in the middle of a packet; 0: never
  std::atomic<bool> reset{false};  // resets all open connections (RST), once
  std::atomic<bool> half_close{
      false};  // sends the end (FIN) on all open connections and keeps them open, once
  std::atomic<bool> black_hole{false};  // nothing passes, and nothing is closed
  std::atomic<int> connections{0};      // so far

  explicit TcpRelay(int to) : to_(to), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    ::bind(socket_, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    ::listen(socket_, 64);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~TcpRelay() {
    thread_ = {};
    for (const Link& link : links_) close_link(link);
    ::close(socket_);
  }
  TcpRelay(const TcpRelay&) = delete;
  TcpRelay& operator=(const TcpRelay&) = delete;

  int port() const { return port_; }
  std::string url(const std::string& path = "/live") const {
    return format("rtsp://127.0.0.1:{}{}", port_, path);
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Part {
    Clock::time_point due;
    std::string bytes;
  };
  struct Link {
    int near = -1;  // to the peer that has connected
    int far = -1;   // to the port that is relayed to
    std::deque<Part> back;
    bool told_end = false;
    bool over = false;
  };

  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(std::uint16_t(port));
    return address;
  }
  static void close_link(const Link& link) {
    ::close(link.near);
    ::close(link.far);
  }

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::vector<pollfd> waiting{{socket_, POLLIN, 0}};
      for (const Link& link : links_) {
        waiting.push_back({link.near, POLLIN, 0});
        // No more is read than can be passed on, so that a slow network slows the sender down.
        waiting.push_back({link.back.size() < 64 ? link.far : -1, POLLIN, 0});
      }
      ::poll(waiting.data(), waiting.size(), 5);
      if (black_hole) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        continue;
      }
      std::size_t i = 1;
      for (Link& link : links_) {
        if ((waiting[i++].revents & (POLLIN | POLLHUP | POLLERR)) != 0) forth(link);
        if ((waiting[i++].revents & (POLLIN | POLLHUP | POLLERR)) != 0) take(link);
        give(link);
      }
      end_some();
      if ((waiting[0].revents & POLLIN) != 0) accept_one();
    }
  }

  void accept_one() {
    const int near = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    if (near < 0) return;
    const int far = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(to_);
    if (::connect(far, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      ::close(near);
      ::close(far);
      return;
    }
    ++connections;
    links_.push_back({near, far, {}});
  }

  static void forth(Link& link) {
    char bytes[4096];
    const ssize_t got = ::recv(link.near, bytes, sizeof bytes, 0);
    if (got <= 0 || ::send(link.far, bytes, std::size_t(got), MSG_NOSIGNAL) != got) link.over = true;
  }

  void take(Link& link) {
    char bytes[1024];
    const ssize_t got = ::recv(link.far, bytes, sizeof bytes, 0);
    if (got <= 0) {
      link.over = true;
      return;
    }
    std::uniform_int_distribution<int> jitter(0, std::max(0, jitter_ms.load()));
    auto due = Clock::now() + std::chrono::milliseconds(delay_ms + jitter(random_));
    if (!link.back.empty()) due = std::max(due, link.back.back().due);
    if (bytes_per_second > 0) {
      slot_ = std::max(slot_, Clock::now()) + std::chrono::microseconds(got * 1'000'000 / bytes_per_second);
      due = std::max(due, slot_);
    }
    link.back.push_back({due, std::string(bytes, std::size_t(got))});
  }

  void give(Link& link) {
    while (!link.over && !link.back.empty() && link.back.front().due <= Clock::now()) {
      std::string& bytes = link.back.front().bytes;
      if (const long left = bytes_until_close; left > 0) {
        link.over = left <= long(bytes.size());
        if (link.over) bytes.resize(std::size_t(left));
        bytes_until_close = left - long(bytes.size());
      }
      if (!link.told_end && ::send(link.near, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) link.over = true;
      link.back.pop_front();
    }
  }

  void end_some() {
    const bool hard = reset.exchange(false);
    const bool half = half_close.exchange(false);
    for (Link& link : links_) {
      const linger none{1, 0};
      if (hard) ::setsockopt(link.near, SOL_SOCKET, SO_LINGER, &none, sizeof none);
      if (half) {
        ::shutdown(link.near, SHUT_WR);
        link.told_end = true;
      }
      if (link.over || hard) close_link(link);
    }
    links_.remove_if([&](const Link& link) { return link.over || hard; });
  }

  const int to_;
  int socket_;
  int port_ = 0;
  std::list<Link> links_;  // used by the thread only
  Clock::time_point slot_{};
  std::minstd_rand random_{7};
  std::jthread thread_;
};

}  // namespace palisade::test
