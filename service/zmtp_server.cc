#include "service/zmtp_server.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace palisade {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kIntroduction{3000};
constexpr milliseconds kWithoutDescriptors{1000};
constexpr std::size_t kReadATurn = 64 << 10;  // from one peer, so that none keeps the others waiting
constexpr int kMostAccepted = 16;             // in one turn

}  // namespace

ZmtpServer::ZmtpServer(ZmtpServerOptions options, OnMessage on_message, OnGone on_gone)
    : options_(std::move(options)),
      on_message_(std::move(on_message)),
      on_gone_(std::move(on_gone)),
      listener_(options_.endpoint, options_.setting),
      accept_again_(Clock::now()) {}

ZmtpServer::~ZmtpServer() = default;

void ZmtpServer::refuse(Connection& connection, const std::string& what) {
  connection.gone = true;
  const auto count = refusals_.count(1, Clock::now());
  if (!count) return;
  log_warning(options_.name + ": cut off a peer that " + what +
              (*count > 1 ? "; " + std::to_string(*count - 1) + " others before it" : ""));
}

void ZmtpServer::accept_peers() {
  for (int i = 0; i < kMostAccepted; ++i) {
    Descriptor socket(accept4(listener_.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket.number() < 0) {
      const int why = errno;
      if (why == EINTR || why == ECONNABORTED) continue;
      if (why == EAGAIN) return;
      // Out of descriptors or memory: whoever waits, waits on, and the others are served.
      accept_again_ = Clock::now() + kWithoutDescriptors;
      if (shortage_.count(1, Clock::now()))
        log_warning(options_.name + ": no peer can be let in now: " + std::strerror(why));
      return;
    }
    Connection connection{
        std::move(socket), ZmtpReader(options_.limits, options_.peer_types), Clock::now(), {}};
    if (peers_.size() >= options_.most_peers) {
      refuse(connection, "came when " + std::to_string(options_.most_peers) + " were there already");
      continue;
    }
    enqueue(connection,
            std::make_shared<const std::string>(zmtp_greeting() + zmtp_ready(options_.socket_type)));
    peers_.emplace(++last_, std::move(connection));
  }
}

bool ZmtpServer::enqueue(Connection& connection, std::shared_ptr<const std::string> frames) {
  if (connection.gone || connection.queue.size() >= options_.queue_messages ||
      connection.queued_bytes + frames->size() > options_.queue_bytes) {
    return false;
  }
  connection.queued_bytes += frames->size();
  connection.queue.push_back(std::move(frames));
  return true;
}

bool ZmtpServer::send(Peer peer, const std::shared_ptr<const std::string>& frames) {
  const auto found = peers_.find(peer);
  return found != peers_.end() && enqueue(found->second, frames);
}

void ZmtpServer::write_to(Connection& connection) {
  while (!connection.gone && !connection.queue.empty()) {
    const std::string_view rest = std::string_view(*connection.queue.front()).substr(connection.sent);
    const ssize_t written = ::send(connection.socket.number(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      connection.gone = errno != EAGAIN;
      return;
    }
    connection.sent += std::size_t(written);
    if (connection.sent < connection.queue.front()->size()) return;
    connection.queued_bytes -= connection.queue.front()->size();
    connection.queue.pop_front();
    connection.sent = 0;
  }
}

void ZmtpServer::handle(Peer peer, Connection& connection, ZmtpItem item) {
  if (item.command.empty() || item.command == "SUBSCRIBE" || item.command == "CANCEL")
    return on_message_(peer, std::move(item));
  const auto answer = zmtp_answer(item);
  if (answer && !enqueue(connection, std::make_shared<const std::string>(*answer)))
    throw ZmtpFault("pings and does not read the answers");
}

void ZmtpServer::read_from(Peer peer, Connection& connection) {
  std::array<char, kReadATurn> bytes;
  const ssize_t got = recv(connection.socket.number(), bytes.data(), bytes.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    connection.gone = true;
    return;
  }
  try {
    connection.reader.take({bytes.data(), std::size_t(got)});
    while (auto item = connection.reader.next()) handle(peer, connection, std::move(*item));
  } catch (const ZmtpFault& fault) {
    refuse(connection, fault.what());
  }
}

void ZmtpServer::forget_gone() {
  const auto now = Clock::now();
  for (auto& [peer, connection] : peers_) {
    if (!connection.reader.ready() && !connection.gone && now - connection.since > kIntroduction)
      refuse(connection, "did not introduce itself within " + std::to_string(kIntroduction.count()) + " ms");
  }
  for (auto each = peers_.begin(); each != peers_.end();) {
    if (each->second.gone && on_gone_) on_gone_(each->first);
    each = each->second.gone ? peers_.erase(each) : std::next(each);
  }
}

void ZmtpServer::turn(milliseconds wait, int wake) {
  const bool accepting = Clock::now() >= accept_again_;
  std::vector<pollfd> items{{wake, POLLIN, 0}, {accepting ? listener_.number() : -1, POLLIN, 0}};
  bool introducing = !accepting;
  std::vector<Peer> polled;
  for (auto& [peer, connection] : peers_) {
    const int events = POLLIN | (connection.queue.empty() ? 0 : POLLOUT);
    items.push_back({connection.socket.number(), short(events), 0});
    polled.push_back(peer);
    introducing |= !connection.reader.ready();
  }
  // Whoever is not introduced, or waits to be let in, is looked at again soon.
  if (introducing) wait = std::min(wait, milliseconds(500));
  poll(items.data(), items.size(), int(std::max(wait, milliseconds(0)).count()));
  for (std::size_t i = 0; i < polled.size(); ++i) {
    Connection& connection = peers_.at(polled[i]);
    const short seen = items[i + 2].revents;
    if ((seen & (POLLIN | POLLHUP | POLLERR)) != 0) read_from(polled[i], connection);
    if ((seen & POLLOUT) != 0) write_to(connection);
  }
  if (items[1].revents != 0) accept_peers();
  forget_gone();
}

void ZmtpServer::drain(milliseconds time) {
  const auto until = Clock::now() + time;
  const auto waiting = [&] {
    return std::ranges::any_of(peers_, [](const auto& each) { return !each.second.queue.empty(); });
  };
  while (waiting() && Clock::now() < until) turn(std::chrono::ceil<milliseconds>(until - Clock::now()), -1);
  // Closing over unread bytes would take back what the peer has not read yet.
  for (auto& [peer, connection] : peers_) shutdown(connection.socket.number(), SHUT_WR);
}

}  // namespace palisade
