#include "ingest/feed_channel.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "ingest/wire_bytes.h"

using namespace palisade;

namespace {

struct SocketPair {
  SocketPair() {
    std::array<int, 2> ends{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    one = Descriptor(ends[0]);
    other = Descriptor(ends[1]);
  }
  Descriptor one, other;
};

std::vector<Descriptor> some_descriptors(std::size_t count) {
  std::vector<Descriptor> all;
  for (std::size_t i = 0; i < count; ++i) all.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
  return all;
}

}  // namespace

TEST_CASE("descriptors come with the first of their bytes, in order, however the bytes are cut") {
  const SocketPair sockets;
  std::jthread sender([&] {
    for (int i = 1; i <= 20; ++i)
      send_whole(sockets.one.number(), std::string(50'000, char(i)), some_descriptors(std::size_t(i % 18)));
    shutdown(sockets.one.number(), SHUT_WR);
  });
  std::deque<Descriptor> came;
  std::array<char, 777> bytes{};
  std::size_t all = 0;
  for (int i = 1; i <= 20; ++i) {
    for (std::size_t left = 50'000; left > 0;) {
      const std::size_t got =
          receive_some(sockets.other.number(), std::span(bytes).first(std::min(left, bytes.size())), came);
      REQUIRE(got > 0);
      CHECK(bytes[0] == char(i));
      CHECK(came.size() == std::size_t(i % 18));  // from the first byte on
      left -= got;
      all += got;
    }
    came.clear();
  }
  CHECK(receive_some(sockets.other.number(), bytes, came) == 0);
  CHECK(all == 20 * 50'000);
}

TEST_CASE("descriptors that nobody asked for are closed and refused, all at once or one by one") {
  for (const std::size_t at_once : {std::size_t(1), std::size_t(40)}) {
    const SocketPair sockets;
    const int before = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(before);
    std::jthread sender([&] {
      for (int i = 0; i < 100; ++i) {
        // Not by send_whole, which sends no more than a message may have.
        const auto descriptors = some_descriptors(at_once);
        if (at_once == 1) {
          send_whole(sockets.one.number(), "a", descriptors);
        } else {
          std::vector<char> control(CMSG_SPACE(sizeof(int) * at_once));
          char byte = 'a';
          iovec data{&byte, 1};
          msghdr message{};
          message.msg_iov = &data;
          message.msg_iovlen = 1;
          message.msg_control = control.data();
          message.msg_controllen = control.size();
          cmsghdr* const head = CMSG_FIRSTHDR(&message);
          head->cmsg_level = SOL_SOCKET;
          head->cmsg_type = SCM_RIGHTS;
          head->cmsg_len = CMSG_LEN(sizeof(int) * at_once);
          for (std::size_t k = 0; k < at_once; ++k) {
            const int number = descriptors[k].number();
            std::memcpy(CMSG_DATA(head) + k * sizeof number, &number, sizeof number);
          }
          sendmsg(sockets.one.number(), &message, MSG_NOSIGNAL);
        }
      }
      shutdown(sockets.one.number(), SHUT_WR);
    });
    const auto take_all = [&] {
      std::deque<Descriptor> came;
      std::array<char, 100> bytes{};
      while (receive_some(sockets.other.number(), bytes, came) > 0) {
      }
    };
    CHECK_THROWS_AS(take_all(), WireError);
    shutdown(sockets.other.number(), SHUT_RDWR);
    sender.join();
    const int after = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK(after == before);
    close(after);
  }
}

TEST_CASE("sending to one who takes nothing ends after the socket's time") {
  const SocketPair sockets;
  const timeval patience{.tv_sec = 0, .tv_usec = 50'000};
  setsockopt(sockets.one.number(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  CHECK_FALSE(send_whole(sockets.one.number(), std::string(10 << 20, 'a')));
}
