#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "tests/service/zmtp_writer.h"

namespace palisade {

// A ZeroMQ peer that can send any bytes.
class RawPeer {
 public:
  explicit RawPeer(const std::string& endpoint, const std::string& type = "SUB") {
    if (endpoint.starts_with("ipc://")) {
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      endpoint.copy(address.sun_path, sizeof address.sun_path - 1, 6);
      join(reinterpret_cast<const sockaddr*>(&address), sizeof address);
    } else {
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(std::uint16_t(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))));
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      join(reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    if (!type.empty()) send(zmtp_greeting() + zmtp_ready(type));
  }
  ~RawPeer() { close(socket_); }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  bool joined() const { return joined_; }
  // False if the other end has closed.
  bool send(const std::string& bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
      const ssize_t sent = ::send(socket_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
      if (sent <= 0) return false;
      at += std::size_t(sent);
    }
    return true;
  }
  // Reads until the other end closes; false after 20 seconds without a byte.
  bool closed() {
    char bytes[4096];
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ssize_t got = 0;
    while ((got = recv(socket_, bytes, sizeof bytes, 0)) > 0) {
    }
    return got == 0 || errno == ECONNRESET;
  }

 private:
  void join(const sockaddr* address, socklen_t size) {
    socket_ = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    joined_ = connect(socket_, address, size) == 0;
  }
  int socket_ = -1;
  bool joined_ = false;
};

}  // namespace palisade
