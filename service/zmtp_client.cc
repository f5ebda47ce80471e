#include "service/zmtp_client.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

#include "service/command_line.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{100}, kLongestPause{3000};
constexpr milliseconds kConnecting{5000};  // until the service has introduced itself

}  // namespace

struct ZmtpClient::Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

ZmtpClient::ZmtpClient(ZmtpClientOptions options) : options_(std::move(options)), pause_(kFirstPause) {
  const std::string& endpoint = options_.endpoint;
  const std::size_t colon = endpoint.rfind(':');
  if (endpoint.starts_with("ipc://") && !endpoint.starts_with("ipc://@") && endpoint.size() > 6 &&
      endpoint.size() - 6 < sizeof(sockaddr_un::sun_path)) {
    path_ = endpoint.substr(6);
  } else if (endpoint.starts_with("tcp://") && colon > 6 && colon + 1 < endpoint.size()) {
    host_ = endpoint.substr(6, colon - 6);
    port_ = endpoint.substr(colon + 1);
    if (host_.starts_with("[") && host_.ends_with("]")) host_ = host_.substr(1, host_.size() - 2);
  } else {
    throw UsageError("'" + endpoint +
                     "' is no endpoint; give tcp://127.0.0.1:5557 or ipc:///run/palisade/events");
  }
}

ZmtpClient::~ZmtpClient() = default;

ZmtpClient::Addresses ZmtpClient::look_up(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  Addresses addresses;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    Address& address = addresses.emplace_back();
    std::memcpy(&address.storage, each->ai_addr, each->ai_addrlen);
    address.size = each->ai_addrlen;
  }
  freeaddrinfo(found);
  return addresses;
}

// What ends one attempt or connection; `why` is told where the service did what it should not.
void ZmtpClient::lose(const std::string& why) {
  if (!why.empty() && told_.count(1, Clock::now())) log_warning(options_.endpoint + ": cut off: it " + why);
  lost_after_hello_ |= hello_sent_;
  socket_.reset();
  connected_ = hello_sent_ = false;
  again_ = Clock::now() + (addresses_.empty() ? pause_ : milliseconds(0));
  if (addresses_.empty()) pause_ = std::min(2 * pause_, kLongestPause);
}

void ZmtpClient::connect_within(milliseconds wait) {
  const auto until = Clock::now() + wait;
  if (Clock::now() < again_) {
    std::this_thread::sleep_for(std::min(wait, std::chrono::ceil<milliseconds>(again_ - Clock::now())));
    return;
  }
  if (addresses_.empty() && !path_.empty()) {
    auto address = std::make_shared<Address>();
    auto& un = reinterpret_cast<sockaddr_un&>(address->storage);
    un.sun_family = AF_UNIX;
    path_.copy(un.sun_path, sizeof un.sun_path - 1);
    address->size = sizeof un;
    addresses_.push_back(std::move(address));
  }
  if (addresses_.empty()) {
    if (!lookup_.valid()) {
      std::promise<Addresses> promise;
      lookup_ = promise.get_future();
      // A name server that is slow keeps nobody from ending: the thread is left to itself.
      std::thread([promise = std::move(promise), host = host_, port = port_]() mutable {
        promise.set_value(look_up(host, port));
      }).detach();
    }
    if (lookup_.wait_until(until) != std::future_status::ready) return;
    for (const Address& address : lookup_.get())
      addresses_.insert(addresses_.begin(), std::make_shared<Address>(address));
    if (addresses_.empty()) return lose("has a host that nobody knows");
  }
  start();
}

void ZmtpClient::start() {
  const std::shared_ptr<Address> address = addresses_.back();
  addresses_.pop_back();
  const auto* const name = reinterpret_cast<const sockaddr*>(&address->storage);
  socket_.emplace(socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  reader_.emplace(options_.limits, options_.peer_types);
  unsent_ = zmtp_greeting() + zmtp_ready(options_.socket_type);
  again_ = Clock::now() + kConnecting;
  connected_ = connect(socket_->number(), name, address->size) == 0;
  if (!connected_ && errno != EINPROGRESS) lose();
}

void ZmtpClient::write_some() {
  if (!connected_) {
    int fault = 0;
    socklen_t size = sizeof fault;
    getsockopt(socket_->number(), SOL_SOCKET, SO_ERROR, &fault, &size);
    if (fault != 0) return lose();
    connected_ = true;
  }
  const ssize_t written = ::send(socket_->number(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
  if (written >= 0) {
    unsent_.erase(0, std::size_t(written));
  } else if (errno != EAGAIN && errno != EINTR) {
    lose();
  }
}

void ZmtpClient::read_some() {
  std::array<char, 64 << 10> bytes;
  const ssize_t got = recv(socket_->number(), bytes.data(), bytes.size(), 0);
  if (got > 0) return reader_->take({bytes.data(), std::size_t(got)});
  if (got == 0 || (errno != EAGAIN && errno != EINTR)) lose();
}

std::optional<ZmtpItem> ZmtpClient::next_item() {
  try {
    while (socket_) {
      auto item = reader_->next();
      if (reader_->ready() && !hello_sent_) {
        unsent_ += options_.hello;
        hello_sent_ = true;
        pause_ = kFirstPause;
      }
      if (!item || item->command.empty()) return item;
      const auto answer = zmtp_answer(*item);
      // A service that pings without an end and reads nothing is no service.
      if (answer && unsent_.size() + answer->size() > (1u << 20))
        throw ZmtpFault("pings and does not read the answers");
      if (answer) unsent_ += *answer;
    }
  } catch (const ZmtpFault& fault) {
    lose(fault.what());
  }
  return std::nullopt;
}

void ZmtpClient::talk(milliseconds wait) {
  const bool introduced = reader_->ready();
  if (!introduced && Clock::now() >= again_) return lose("did not introduce itself");
  pollfd item{socket_->number(), short(POLLIN | (unsent_.empty() && connected_ ? 0 : POLLOUT)), 0};
  if (poll(&item, 1,
           int(std::max(std::min(wait, introduced ? wait : kConnecting), milliseconds(0)).count())) <= 0)
    return;
  if ((item.revents & (POLLOUT | POLLERR)) != 0) write_some();
  if (socket_ && (item.revents & (POLLIN | POLLHUP)) != 0) read_some();
}

std::optional<ZmtpItem> ZmtpClient::receive(milliseconds wait) {
  const auto until = Clock::now() + wait;
  do {
    if (socket_ && connected_ && !unsent_.empty()) write_some();
    if (socket_) {
      if (auto item = next_item()) return item;
    }
    const auto left = std::max(std::chrono::ceil<milliseconds>(until - Clock::now()), milliseconds(0));
    if (socket_) {
      talk(left);
    } else {
      connect_within(left);
    }
  } while (Clock::now() < until);
  return socket_ ? next_item() : std::nullopt;
}

}  // namespace palisade
