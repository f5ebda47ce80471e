#include "ingest/connection_guard.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <future>
#include <optional>
#include <utility>

#include "base/log.h"
#include "ingest/feed_channel.h"

namespace palisade {
namespace {

constexpr std::chrono::milliseconds kGuardEnding{200};
constexpr int kConnectPatience_ms = 5'000;  // of a socket that waits
constexpr std::size_t kMaxDatagram = 64 << 10, kMaxPieces = 64, kMaxMessages = 64;
constexpr int kNoHostOfIts = EACCES;

// An address out of the child's memory.
struct PeerAddress {
  sockaddr_storage value{};
  socklen_t length = 0;

  const sockaddr* plain() const { return length > 0 ? reinterpret_cast<const sockaddr*>(&value) : nullptr; }
};

struct Datagram {
  PeerAddress to;
  std::string bytes;
};

// What the call gives: its value, or an error below zero, or that the kernel is to go on with it.
struct Outcome {
  std::int64_t value = 0;
  bool goes_on = false;
};

}  // namespace

struct ConnectionGuard::State {
  State(Descriptor from, pid_t pid, AllowedHosts its_hosts, std::string its_name)
      : notifications(std::move(from)),
        wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        process(int(syscall(SYS_pidfd_open, pid, 0))),
        child(pid),
        hosts(std::move(its_hosts)),
        name(std::move(its_name)) {
    can_take = copy_of(kFeedChannel).is_open();
    char nothing = 0;  // nothing is at that address; whether it may be asked is the question
    can_read = read(&nothing, 1, sizeof nothing) || errno == EFAULT;
  }

  void run();
  // False where nothing can be answered any more.
  bool answer();
  Outcome outcome_of(const seccomp_notif& asked);
  Outcome connect_for(const seccomp_notif& asked);
  Outcome connect_waiting(const Descriptor& socket, const PeerAddress& to) const;
  Outcome send_to_for(const seccomp_notif& asked);
  Outcome send_message_for(const seccomp_notif& asked);
  Outcome send_messages_for(const seccomp_notif& asked);
  Outcome send(const seccomp_notif& asked, const Datagram& datagram, int flags);

  // The child's memory; false where it is not there.
  bool read(void* into, std::uint64_t from, std::size_t size) const;
  std::optional<PeerAddress> address_at(std::uint64_t at, std::uint64_t length) const;
  std::optional<Datagram> datagram_at(const msghdr& message) const;
  Descriptor copy_of(int number) const {
    return Descriptor(int(syscall(SYS_pidfd_getfd, process.number(), number, 0)));
  }
  // What was read is of this call still, and not of a later one.
  bool is_valid(const seccomp_notif& asked) const {
    return ioctl(notifications.number(), SECCOMP_IOCTL_NOTIF_ID_VALID, &asked.id) == 0;
  }
  Outcome refuse(const PeerAddress& to);

  const Descriptor notifications, wake, process;
  const pid_t child;
  AllowedHosts hosts;
  const std::string name;
  bool can_take = false, can_read = false;
  bool told = false;
  std::promise<void> ended;
  std::future<void> end = ended.get_future();
};

bool ConnectionGuard::State::read(void* into, std::uint64_t from, std::size_t size) const {
  const iovec here{into, size},
      there{reinterpret_cast<void*>(from), size};  // NOLINT: an address of the child
  return process_vm_readv(child, &here, 1, &there, 1, 0) == ssize_t(size);
}

std::optional<PeerAddress> ConnectionGuard::State::address_at(std::uint64_t at, std::uint64_t length) const {
  PeerAddress address;
  if (at == 0 || length == 0) return address;
  if (length > sizeof address.value || !read(&address.value, at, length)) return std::nullopt;
  address.length = socklen_t(length);
  return address;
}

std::optional<Datagram> ConnectionGuard::State::datagram_at(const msghdr& message) const {
  const auto to = address_at(reinterpret_cast<std::uint64_t>(message.msg_name), message.msg_namelen);
  std::array<iovec, kMaxPieces> pieces{};
  const std::size_t count = message.msg_iovlen;
  if (!to || count > kMaxPieces ||
      !read(pieces.data(), reinterpret_cast<std::uint64_t>(message.msg_iov), count * sizeof(iovec)))
    return std::nullopt;
  Datagram datagram{*to, {}};
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = datagram.bytes.size();
    if (pieces[i].iov_len > kMaxDatagram - at) return std::nullopt;
    datagram.bytes.resize(at + pieces[i].iov_len);
    if (!read(datagram.bytes.data() + at, reinterpret_cast<std::uint64_t>(pieces[i].iov_base),
              pieces[i].iov_len))
      return std::nullopt;
  }
  return datagram;
}

Outcome ConnectionGuard::State::refuse(const PeerAddress& to) {
  if (!std::exchange(told, true))
    log_warning(name + ": its process asked for a connection to " + address_text(to.value, to.length) +
                ", which is none of its hosts, or outside http.networks: refused");
  return {-kNoHostOfIts};
}

// The socket is the child's own, shared with it. A blocking one waits here for a while at most.
Outcome ConnectionGuard::State::connect_waiting(const Descriptor& socket, const PeerAddress& to) const {
  const int flags = fcntl(socket.number(), F_GETFL);
  fcntl(socket.number(), F_SETFL, flags | O_NONBLOCK);
  int fault = connect(socket.number(), to.plain(), to.length) == 0 ? 0 : errno;
  if (fault == EINPROGRESS && (flags & O_NONBLOCK) == 0) {
    std::array<pollfd, 2> items{{{socket.number(), POLLOUT, 0}, {wake.number(), POLLIN, 0}}};
    poll(items.data(), items.size(), kConnectPatience_ms);
    socklen_t size = sizeof fault;
    if (items[0].revents == 0 || getsockopt(socket.number(), SOL_SOCKET, SO_ERROR, &fault, &size) != 0)
      fault = ETIMEDOUT;
  }
  fcntl(socket.number(), F_SETFL, flags);
  return {-fault};
}

// Where no copy of the socket can be had, the kernel goes on with what was looked at: another thread of the
// child may have put another address there meanwhile.
Outcome ConnectionGuard::State::connect_for(const seccomp_notif& asked) {
  const auto to = address_at(asked.data.args[1], asked.data.args[2]);
  if (!to) return {-EFAULT};
  if (!hosts.may_connect(to->value, to->length)) return refuse(*to);
  if (!can_take) return {.goes_on = true};
  const Descriptor socket = copy_of(int(asked.data.args[0]));
  if (!socket.is_open()) return {-errno};
  if (!is_valid(asked)) return {-EINTR};
  return connect_waiting(socket, *to);
}

Outcome ConnectionGuard::State::send(const seccomp_notif& asked, const Datagram& datagram, int flags) {
  const PeerAddress& to = datagram.to;
  if (to.length > 0 && !hosts.may_send(to.value, to.length)) return refuse(to);
  if (!can_take) return {.goes_on = true};
  const Descriptor socket = copy_of(int(asked.data.args[0]));
  if (!socket.is_open()) return {-errno};
  if (!is_valid(asked)) return {-EINTR};
  const ssize_t sent = sendto(socket.number(), datagram.bytes.data(), datagram.bytes.size(),
                              flags | MSG_DONTWAIT | MSG_NOSIGNAL, to.plain(), to.length);
  return {sent < 0 ? -errno : sent};
}

Outcome ConnectionGuard::State::send_to_for(const seccomp_notif& asked) {
  const auto& words = asked.data.args;
  const auto to = address_at(words[4], words[5]);
  if (!to) return {-EFAULT};
  if (words[2] > kMaxDatagram) return {-EMSGSIZE};
  Datagram datagram{*to, std::string(words[2], '\0')};
  if (!read(datagram.bytes.data(), words[1], datagram.bytes.size())) return {-EFAULT};
  return send(asked, datagram, int(words[3]));
}

Outcome ConnectionGuard::State::send_message_for(const seccomp_notif& asked) {
  msghdr message{};
  if (!read(&message, asked.data.args[1], sizeof message)) return {-EFAULT};
  const auto datagram = datagram_at(message);
  return datagram ? send(asked, *datagram, int(asked.data.args[2])) : Outcome{-EMSGSIZE};
}

Outcome ConnectionGuard::State::send_messages_for(const seccomp_notif& asked) {
  const std::uint64_t at = asked.data.args[1],
                      count = std::min<std::uint64_t>(asked.data.args[2], kMaxMessages);
  Outcome sent;
  for (std::uint64_t i = 0; i < count; ++i) {
    mmsghdr message{};
    const std::uint64_t here = at + i * sizeof message;
    if (!read(&message, here, sizeof message)) return i > 0 ? sent : Outcome{-EFAULT};
    const auto datagram = datagram_at(message.msg_hdr);
    const Outcome one = datagram ? send(asked, *datagram, int(asked.data.args[3])) : Outcome{-EMSGSIZE};
    if (one.value < 0) return i > 0 ? sent : one;
    sent.goes_on = one.goes_on;
    auto length = unsigned(one.value);
    const iovec from{&length, sizeof length};
    const iovec into{reinterpret_cast<void*>(here + offsetof(mmsghdr, msg_len)), sizeof length};
    if (!one.goes_on) process_vm_writev(child, &from, 1, &into, 1, 0);
    sent.value = std::int64_t(i) + 1;
  }
  if (sent.goes_on) sent.value = 0;
  return sent;
}

Outcome ConnectionGuard::State::outcome_of(const seccomp_notif& asked) {
  if (!can_read) return {.goes_on = true};
  switch (asked.data.nr) {
    case SYS_connect:
      return connect_for(asked);
    case SYS_sendto:
      return send_to_for(asked);
    case SYS_sendmsg:
      return send_message_for(asked);
    case SYS_sendmmsg:
      return send_messages_for(asked);
    default:
      return {-kNoHostOfIts};
  }
}

bool ConnectionGuard::State::answer() {
  seccomp_notif asked{};
  if (ioctl(notifications.number(), SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0)
    return errno == EINTR || errno == ENOENT;  // it was interrupted meanwhile
  const Outcome outcome = outcome_of(asked);
  seccomp_notif_resp reply{.id = asked.id, .val = 0, .error = 0, .flags = 0};
  if (outcome.goes_on) {
    reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  } else if (outcome.value < 0) {
    reply.error = int(outcome.value);
  } else {
    reply.val = outcome.value;
  }
  ioctl(notifications.number(), SECCOMP_IOCTL_NOTIF_SEND, &reply);
  return true;
}

void ConnectionGuard::State::run() {
  while (true) {
    std::array<pollfd, 2> items{{{notifications.number(), POLLIN, 0}, {wake.number(), POLLIN, 0}}};
    if (poll(items.data(), items.size(), -1) < 0 && errno != EINTR) break;
    if (items[1].revents != 0) break;
    if ((items[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) break;  // the child has ended
    if ((items[0].revents & POLLIN) != 0 && !answer()) break;
  }
  ended.set_value();
}

ConnectionGuard::ConnectionGuard(Descriptor notifications, pid_t child, AllowedHosts hosts, std::string name)
    : state_(std::make_shared<State>(std::move(notifications), child, std::move(hosts), std::move(name))),
      thread_([state = state_] { state->run(); }) {}

ConnectionGuard::~ConnectionGuard() {
  eventfd_write(state_->wake.number(), 1);
  if (state_->end.wait_for(kGuardEnding) == std::future_status::ready) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

std::string_view ConnectionGuard::in_force() const {
  if (!state_->can_read) return kNoLimitOfHosts;
  return state_->can_take ? "hosts" : "hosts, as far as they can be looked at";
}

}  // namespace palisade
