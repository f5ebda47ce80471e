#include "ingest/feed_channel.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "ingest/wire_bytes.h"

namespace palisade {
namespace {

constexpr int kMaxTries = 100;  // while the user has too many descriptors on the way
constexpr int kBetweenTries_us = 10'000;
constexpr std::size_t kMaxUntaken = 2 * kMaxDescriptorsSent;

struct ControlBytes {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxDescriptorsSent)> bytes{};
};

// The first bytes, and all descriptors.
ssize_t send_first(int socket, std::string_view bytes, std::span<const Descriptor> descriptors) {
  iovec data{const_cast<char*>(bytes.data()), bytes.size()};
  ControlBytes control;
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = control.bytes.data();
    message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.size());
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
    for (std::size_t i = 0; i < descriptors.size(); ++i) {
      const int number = descriptors[i].number();
      std::memcpy(CMSG_DATA(head) + i * sizeof number, &number, sizeof number);
    }
  }
  for (int tries = 0; true; ++tries) {
    const ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    if (sent >= 0 || (errno != EINTR && errno != ETOOMANYREFS) || tries == kMaxTries) return sent;
    if (errno == ETOOMANYREFS) usleep(kBetweenTries_us);
  }
}

void take_descriptors(msghdr& message, std::deque<Descriptor>& descriptors) {
  for (cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr; head = CMSG_NXTHDR(&message, head)) {
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(head) + i * sizeof number, sizeof number);
      descriptors.emplace_back(number);
    }
  }
  if ((message.msg_flags & MSG_CTRUNC) != 0) throw WireError("more descriptors than can be taken");
  if (descriptors.size() > kMaxUntaken) throw WireError("descriptors that no message tells of");
}

}  // namespace

bool send_whole(int socket, std::string_view bytes, std::span<const Descriptor> descriptors) {
  while (!bytes.empty()) {
    const ssize_t sent = send_first(socket, bytes, descriptors);
    if (sent <= 0) return false;
    descriptors = {};
    bytes.remove_prefix(std::size_t(sent));
  }
  return true;
}

std::size_t receive_some(int socket, std::span<char> bytes, std::deque<Descriptor>& descriptors) {
  iovec data{bytes.data(), bytes.size()};
  ControlBytes control;
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  ssize_t got = -1;
  do {
    got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return 0;
  take_descriptors(message, descriptors);
  return std::size_t(got);
}

}  // namespace palisade
