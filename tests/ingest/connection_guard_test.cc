#include "ingest/connection_guard.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "ingest/allowed_hosts.h"
#include "ingest/confinement.h"
#include "ingest/feed_channel.h"

using namespace palisade;

namespace {

const SourceOptions kCamera{.url = "rtsp://127.0.0.1/live"};
constexpr const char* kOwn = "127.0.0.1";
constexpr const char* kOther = "127.0.0.2";  // of this machine as well, so that it could be reached

// The exit code of a confined process that does this beside its guard; nothing where the kernel has none.
std::optional<int> beside_guard(const SourceOptions& source, const std::function<int()>& act) {
  std::array<int, 2> ends{};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], kFeedChannel);
    Confinement confinement = confine_process(source, kFeedChannel);
    std::vector<Descriptor> connections;
    if (confinement.connections.is_open()) connections.push_back(std::move(confinement.connections));
    send_whole(kFeedChannel, "a", connections);
    connections.clear();
    _exit(act());
  }
  const Descriptor channel(ends[0]);
  close(ends[1]);
  std::deque<Descriptor> came;
  std::array<char, 1> byte{};
  REQUIRE(receive_some(channel.number(), byte, came) == 1);
  std::optional<ConnectionGuard> guard;
  if (!came.empty()) guard.emplace(std::move(came.front()), child, AllowedHosts(hosts_of(source)), "test");
  int status = 0;
  waitpid(child, &status, 0);
  if (!guard || guard->in_force() != "hosts") {
    MESSAGE("hosts cannot be limited here: nothing to be tested");
    return std::nullopt;
  }
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

sockaddr_in address(const char* host, int port) {
  sockaddr_in made{};
  made.sin_family = AF_INET;
  made.sin_port = htons(std::uint16_t(port));
  inet_pton(AF_INET, host, &made.sin_addr);
  return made;
}

// A socket that waits for others.
class Waiting {
 public:
  Waiting(const char* host, int type) : socket_(socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    sockaddr_in own = address(host, 0);
    REQUIRE(bind(socket_.number(), reinterpret_cast<sockaddr*>(&own), sizeof own) == 0);
    if (type == SOCK_STREAM) REQUIRE(::listen(socket_.number(), 100) == 0);
    socklen_t size = sizeof own;
    getsockname(socket_.number(), reinterpret_cast<sockaddr*>(&own), &size);
    address_ = own;
  }
  const sockaddr_in& at() const { return address_; }
  // Whether somebody connected, or what was sent.
  bool reached() const {
    pollfd item{socket_.number(), POLLIN, 0};
    return poll(&item, 1, 0) == 1;
  }
  std::string received() const {
    std::string bytes(100, '\0');
    const ssize_t got = recv(socket_.number(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    return bytes.substr(0, got > 0 ? std::size_t(got) : 0);
  }

 private:
  Descriptor socket_;
  sockaddr_in address_{};
};

const sockaddr* plain(const sockaddr_in& at) {
  return reinterpret_cast<const sockaddr*>(&at);
}

int connected(const sockaddr_in& to, int type) {
  const int made = socket(AF_INET, type, 0);
  return connect(made, plain(to), sizeof to) == 0 ? 0 : errno;
}

msghdr message_to(const sockaddr_in& to, iovec& data) {
  msghdr message{};
  message.msg_name = const_cast<sockaddr_in*>(&to);
  message.msg_namelen = sizeof to;
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  return message;
}

// Sends "one" and "two" by each call that takes an address; the last error.
int send_by_all(const sockaddr_in& to) {
  const int made = socket(AF_INET, SOCK_DGRAM, 0);
  char one[] = "one", two[] = "two";
  std::array<iovec, 2> data{{{one, 3}, {two, 3}}};
  errno = 0;
  const bool by_one = sendto(made, one, 3, 0, plain(to), sizeof to) == 3;
  const msghdr message = message_to(to, data[1]);
  const bool by_message = sendmsg(made, &message, 0) == 3;
  std::array<mmsghdr, 2> messages{{{message_to(to, data[0]), 0}, {message_to(to, data[1]), 0}}};
  const bool by_many = sendmmsg(made, messages.data(), 2, 0) == 2;
  if (by_one && by_message && by_many && messages[0].msg_len == 3 && messages[1].msg_len == 3) return 0;
  return by_one || by_message || by_many ? 1 : errno;
}

}  // namespace

TEST_CASE("a confined process connects to its own host, waiting or not, and to no other") {
  const Waiting own(kOwn, SOCK_STREAM), other(kOther, SOCK_STREAM);
  const auto code = beside_guard(kCamera, [&] {
    if (connected(own.at(), SOCK_STREAM) != 0) return 1;
    const int made = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (connect(made, plain(own.at()), sizeof own.at()) != 0 && errno != EINPROGRESS) return 2;
    pollfd item{made, POLLOUT, 0};
    if (poll(&item, 1, 5'000) != 1 || send(made, "a", 1, 0) != 1) return 3;
    if ((fcntl(made, F_GETFL) & O_NONBLOCK) == 0) return 4;
    if (connected(other.at(), SOCK_STREAM) != EACCES) return 5;
    const sockaddr_in nobody = address(kOwn, 1);
    return connected(nobody, SOCK_STREAM) == ECONNREFUSED ? 0 : 6;
  });
  if (!code) return;
  CHECK(*code == 0);
  CHECK(own.reached());
  CHECK_FALSE(other.reached());
}

TEST_CASE("datagrams reach its own host by every call that sends them, and no other") {
  const Waiting own(kOwn, SOCK_DGRAM), other(kOther, SOCK_DGRAM);
  const auto code = beside_guard(kCamera, [&] {
    if (send_by_all(own.at()) != 0) return 1;
    if (send_by_all(other.at()) != EACCES) return 2;
    if (connected(other.at(), SOCK_DGRAM) != EACCES) return 3;
    return connected(own.at(), SOCK_DGRAM) == 0 ? 0 : 4;
  });
  if (!code) return;
  CHECK(*code == 0);
  for (const char* const sent : {"one", "two", "one", "two"}) CHECK(own.received() == sent);
  CHECK_FALSE(other.reached());
}

TEST_CASE("an address that another thread changes while it is looked at leads nowhere else") {
  const Waiting own(kOwn, SOCK_DGRAM), other(kOther, SOCK_DGRAM);
  sockaddr_in changing = own.at();
  sockaddr_in there = own.at();
  there.sin_addr = other.at().sin_addr;
  there.sin_port = other.at().sin_port;
  const auto code = beside_guard(kCamera, [&] {
    std::atomic<bool> ends = false;
    std::thread changes([&] {
      while (!ends) {
        std::memcpy(&changing, &there, sizeof there);
        std::memcpy(&changing, &own.at(), sizeof there);
      }
    });
    for (int i = 0; i < 3'000; ++i) {
      const int made = socket(AF_INET, SOCK_DGRAM, 0);
      if (i % 2 == 0) {
        sendto(made, "a", 1, 0, plain(changing), sizeof changing);
      } else if (connect(made, plain(changing), sizeof changing) == 0) {
        send(made, "b", 1, 0);
      }
      close(made);
    }
    ends = true;
    changes.join();
    return 0;
  });
  if (!code) return;
  CHECK(*code == 0);
  CHECK(own.reached());
  CHECK_FALSE(other.reached());
}

TEST_CASE("a confined process has no sockets of other kinds, and none of another process") {
  const std::string path = "/tmp/palisade-guard-" + std::to_string(getpid());
  const Descriptor listening(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  std::memcpy(at.sun_path, path.data(), path.size());
  REQUIRE(bind(listening.number(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
  REQUIRE(::listen(listening.number(), 1) == 0);
  const auto code = beside_guard(kCamera, [&] {
    for (const int family : {AF_PACKET, AF_VSOCK, AF_BLUETOOTH, AF_ALG}) {
      if (socket(family, SOCK_STREAM, 0) >= 0 || errno != EPERM) return 1;
    }
    if (socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0 || socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP) >= 0)
      return 2;
    if (socket(AF_INET6, SOCK_SEQPACKET, 132) >= 0 || socket(AF_INET, SOCK_STREAM, 262) >= 0) return 3;
    const int made = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(made, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 || errno != EACCES) return 4;
    // What is not looked at stays what it was.
    if (dup2(made, kFeedChannel) >= 0 || close(kFeedChannel) == 0) return 5;
    return 0;
  });
  unlink(path.c_str());
  if (code) CHECK(*code == 0);
}

TEST_CASE("names are looked up by a confined process as ever") {
  const auto code = beside_guard({.url = "rtsp://localhost/live"}, [] {
    addrinfo* found = nullptr;
    if (getaddrinfo("localhost", "554", nullptr, &found) != 0) return 1;
    if (getaddrinfo("no-such-camera.invalid", "554", nullptr, &found) == 0) return 2;
    return connected(address(kOwn, 1), SOCK_STREAM) == ECONNREFUSED ? 0 : 3;
  });
  if (code) CHECK(*code == 0);
}

TEST_CASE("a guard whose child never asks, and one that is given another thing, end at once") {
  std::array<int, 2> ends{};
  REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
  const Descriptor writing(ends[1]);
  REQUIRE(write(writing.number(), "a", 1) == 1);
  const ConnectionGuard guard(Descriptor(ends[0]), getpid(), AllowedHosts(std::vector<std::string>()),
                              "test");
}
