#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/format.h"

namespace palisade::test {

// One request as an RTSP server reads it.
struct RtspRequest {
  std::string text;
  std::string method;
  std::string sequence;

  std::string header(const std::string& name) const {
    const std::size_t at = text.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const std::size_t begin = at + name.size() + 4;
    return text.substr(begin, text.find("\r\n", begin) - begin);
  }
  // An answer to it: "200 OK" and header lines, each with its line end.
  std::string answer(const std::string& status, const std::string& headers = "",
                     const std::string& body = "") const {
    return "RTSP/1.0 " + status + "\r\nCSeq: " + sequence + "\r\n" + headers +
           (body.empty() ? "" : format("Content-Length: {}\r\n", body.size())) + "\r\n" + body;
  }
};

// A camera of the loopback that answers what a test says and sends no picture; it remembers whoever connects
// and what is asked. `answer` returns what is sent; empty closes the connection.
class RtspScript {
 public:
  using Answer = std::function<std::string(const RtspRequest&)>;

  explicit RtspScript(Answer answer, const std::string& host = "127.0.0.1")
      : host_(host), answer_(std::move(answer)), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    socklen_t size = sizeof address;
    ::bind(socket_, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    ::listen(socket_, 16);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](std::stop_token stop) { accept(stop); });
  }
  ~RtspScript() {
    thread_ = {};
    ::close(socket_);
  }
  RtspScript(const RtspScript&) = delete;
  RtspScript& operator=(const RtspScript&) = delete;

  int port() const { return port_; }
  std::string place() const { return format("{}:{}", host_, port_); }
  std::string url(const std::string& path = "/live") const { return "rtsp://" + place() + path; }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  int connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
  }

 private:
  void accept(const std::stop_token& stop) {
    std::list<std::jthread> peers;
    while (!stop.stop_requested()) {
      pollfd waiting{socket_, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int peer = ::accept(socket_, nullptr, nullptr);
      {
        const std::lock_guard lock(mutex_);
        ++connections_;
      }
      peers.emplace_back([this, peer](std::stop_token end) { serve(end, peer); });
    }
  }
  void serve(const std::stop_token& stop, int peer) {
    std::string heard;
    while (!stop.stop_requested()) {
      pollfd waiting{peer, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      char bytes[4096];
      const ssize_t got = ::recv(peer, bytes, sizeof bytes, 0);
      if (got <= 0) break;
      heard.append(bytes, std::size_t(got));
      if (!answer_all(heard, peer)) break;
    }
    ::close(peer);
  }
  bool answer_all(std::string& heard, int peer) {
    for (std::size_t end; (end = heard.find("\r\n\r\n")) != std::string::npos; heard.erase(0, end + 4)) {
      RtspRequest request{.text = heard.substr(0, end + 2)};
      request.method = request.text.substr(0, request.text.find(' '));
      request.sequence = request.header("CSeq");
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request.text);
      }
      const std::string answer = answer_(request);
      if (answer.empty()) return false;
      ::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
    return true;
  }

  const std::string host_;
  const Answer answer_;
  const int socket_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;  // guarded by mutex_
  int connections_ = 0;                // guarded by mutex_
  std::jthread thread_;
};

inline const std::string kDescription =
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=camera\r\nt=0 0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\n"
    "a=control:track1\r\na=rtpmap:96 H264/90000\r\n"
    "a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z0LACtkH+hAAAAMAEAAAAwPA8UJkgA==,aMuMsg==\r\n";

// What a camera answers where nothing is wrong with the request.
inline std::string usual_answer(const RtspRequest& request) {
  if (request.method == "OPTIONS")
    return request.answer("200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN\r\n");
  if (request.method == "DESCRIBE")
    return request.answer("200 OK", "Content-Type: application/sdp\r\n", kDescription);
  if (request.method == "SETUP")
    return request.answer("200 OK", "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n");
  return request.answer("200 OK", "Session: 1\r\n");
}

}  // namespace palisade::test
