#include "service/zeromq/peer_guard.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <cerrno>
#include <cstring>
#include <deque>
#include <future>
#include <optional>
#include <random>
#include <set>
#include <thread>
#include <zmq.hpp>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "service/endpoints/descriptors_left.h"
#include "service/endpoints/endpoint.h"
#include "service/zeromq/peer_judge.h"

namespace palisade {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using namespace asio::experimental::awaitable_operators;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Address = asio::generic::stream_protocol::endpoint;
using Stream = asio::generic::stream_protocol::socket;

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);  // errors are returned, not thrown
constexpr milliseconds kIntroduction{3000};  // time for a peer to complete ZMTP's handshake
constexpr milliseconds kConnecting{5000}, kFirstPause{100}, kMaxPause{500};
constexpr milliseconds kLookupTurn{10};
constexpr milliseconds kLinger{500};
constexpr milliseconds kShortage{1000};
constexpr std::size_t kChunkBytes = 16 << 10;
// libzmq ends the process if it cannot get a file descriptor for a connection that it accepts.
constexpr std::size_t kSpareDescriptors = 16;
constexpr std::size_t kSpareLinks = 2;

std::string private_name() {
  std::random_device random;
  const std::uint64_t number = std::uint64_t(random()) << 32 | random();
  return format("palisade-{}-{}", getpid(), number);
}

Address abstract_address(const std::string& name) {
  return asio::local::stream_protocol::endpoint(std::string(1, '\0') + name);
}

bool of_this_process(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == getpid();
}

void without_delay(Stream& stream) {
  const int one = 1;  // this fails on Unix sockets, which do not delay anyway
  setsockopt(stream.native_handle(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

std::vector<Address> look_up(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  std::vector<Address> addresses;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next)
    addresses.emplace_back(each->ai_addr, each->ai_addrlen);
  freeaddrinfo(found);
  return addresses;
}

awaitable<void> pause(milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(kAsTuple);
}

}  // namespace

class PeerGuard::Relay {
 public:
  explicit Relay(PeerRules rules) : rules_(std::move(rules)) {}
  ~Relay();

  void bind(zmq::socket_t& socket, const std::string& endpoint, const std::string& setting);
  void connect(zmq::socket_t& socket, const std::string& endpoint);
  const std::string& endpoint() const { return endpoint_; }
  void cut_off_all();

 private:
  void start(awaitable<void> work);
  awaitable<void> accept_peers();
  awaitable<void> connect_spares();
  void let_in(Descriptor accepted);
  awaitable<void> serve_socket();
  awaitable<void> connect_to_service(Stream& outer);
  awaitable<std::vector<Address>> service_addresses();
  void begin_link(Stream outer, Stream inner);
  awaitable<void> link(Stream outer, Stream inner);
  awaitable<void> forward_inbound(Stream& outer, Stream& inner, PeerJudge& judge, std::string& fault);
  awaitable<void> forward_outbound(Stream& inner, Stream& outer);
  awaitable<void> await_introduction(const PeerJudge& judge, std::string& fault);
  void refuse(const std::string& what);
  void stop_when_idle();

  const PeerRules rules_;
  std::string endpoint_;
  std::string socket_name_;           // name of the abstract socket between libzmq and this relay
  std::optional<Listener> listener_;  // where peers connect; empty if this relay connects to a service
  Descriptor socket_listener_;        // where libzmq connects if this relay connects to a service
  std::optional<Address> path_;       // the service's address, if it is a Unix socket
  std::string host_, port_;           // the service's address otherwise
  asio::io_context io_{1};
  std::jthread thread_;

  // Used by the thread only.
  std::deque<Stream> spares_;
  std::size_t links_ = 0;
  std::set<Stream*> peers_;  // of all links
  bool stopping_ = false;
  milliseconds pause_ = kFirstPause;
  std::future<std::vector<Address>> lookup_;  // from a detached thread
  OncePerSecond refusals_, shortage_;
};

void PeerGuard::Relay::bind(zmq::socket_t& socket, const std::string& endpoint, const std::string& setting) {
  listener_.emplace(endpoint, setting, rules_.message.encrypted);
  endpoint_ = listener_->endpoint();
  socket_name_ = private_name();
  const pid_t only = getpid();
  zmq_setsockopt(socket.handle(), ZMQ_IPC_FILTER_PID, &only, sizeof only);
  socket.set(zmq::sockopt::handshake_ivl,
             0);  // a spare connection waits for a peer; await_introduction() limits the handshake
  socket.bind("ipc://@" + socket_name_);
  start(accept_peers());
}

void PeerGuard::Relay::connect(zmq::socket_t& socket, const std::string& endpoint) {
  const ServiceAddress address = service_address(endpoint);
  if (!address.path.empty()) path_ = asio::local::stream_protocol::endpoint(address.path);
  host_ = address.host;
  port_ = address.port;
  endpoint_ = endpoint;
  socket_name_ = private_name();
  socket_listener_ = Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const Address own = abstract_address(socket_name_);
  if (::bind(socket_listener_.number(), own.data(), socklen_t(own.size())) != 0 ||
      listen(socket_listener_.number(), 4) != 0)
    throw Unavailable(std::string("cannot make a socket: ") + std::strerror(errno));
  start(serve_socket());
  socket.set(zmq::sockopt::handshake_ivl, 0);  // libzmq's handshake waits until the service is reached
  socket.connect("ipc://@" + socket_name_);
}

void PeerGuard::Relay::start(awaitable<void> work) {
  asio::co_spawn(io_, std::move(work), asio::detached);
  thread_ = std::jthread([this] { io_.run(); });
}

PeerGuard::Relay::~Relay() {
  if (!thread_.joinable()) return;
  asio::post(io_, [this] {
    stopping_ = true;
    stop_when_idle();
  });
  asio::steady_timer last(io_, kLinger);
  last.async_wait([this](const boost::system::error_code&) { io_.stop(); });
  thread_.join();
}

void PeerGuard::Relay::cut_off_all() {
  asio::post(io_, [this] {
    for (Stream* const peer : peers_) ::shutdown(peer->native_handle(), SHUT_RDWR);
  });
}

void PeerGuard::Relay::stop_when_idle() {
  if (stopping_ && links_ == 0) io_.stop();
}

void PeerGuard::Relay::refuse(const std::string& what) {
  const auto count = refusals_.count(1, steady_clock::now());
  if (!count) return;
  log_warning(rules_.name + ": cut off a peer that " + what +
              (*count > 1 ? format("; {} others before it", *count - 1) : ""));
}

awaitable<void> PeerGuard::Relay::accept_peers() {
  const int number = listener_->number();
  asio::posix::stream_descriptor listening(io_, fcntl(number, F_DUPFD_CLOEXEC, 0));
  while (!stopping_) {
    co_await connect_spares();
    co_await listening.async_wait(asio::posix::stream_descriptor::wait_read, kAsTuple);
    if (spares_.empty()) co_await connect_spares();
    Descriptor accepted;
    if (!spares_.empty()) accepted = Descriptor(accept4(number, nullptr, nullptr, SOCK_CLOEXEC));
    if (accepted.number() >= 0) {
      if (links_ < rules_.max_peers) {
        let_in(std::move(accepted));
      } else {
        refuse(format("came when {} were there already", rules_.max_peers));
      }
    } else if (spares_.empty() || (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)) {
      // Peers that are not accepted yet keep waiting; those that are connected are served.
      if (shortage_.count(1, steady_clock::now()))
        log_warning(rules_.name + ": no peer can be let in now: too few file descriptors are left");
      co_await pause(kShortage);
    }
  }
}

// Opens connections to libzmq in advance, so that the first peers can be served even if other threads use up
// all file descriptors. One after another, so that libzmq has its own descriptor of each before descriptors
// are counted again.
awaitable<void> PeerGuard::Relay::connect_spares() {
  const Address inside = abstract_address(socket_name_);
  while (spares_.size() < kSpareLinks && descriptors_left(kSpareDescriptors)) {
    Stream inner(io_, inside.protocol());
    const auto [error] = co_await inner.async_connect(inside, kAsTuple);
    if (error) co_return;
    co_await (inner.async_wait(Stream::wait_read, asio::use_awaitable) || pause(kShortage));
    spares_.push_back(std::move(inner));
  }
}

void PeerGuard::Relay::let_in(Descriptor accepted) {
  Stream outer(io_);
  outer.assign(asio::generic::stream_protocol(AF_UNSPEC, 0), accepted.release());
  without_delay(outer);
  Stream inner = std::move(spares_.front());
  spares_.pop_front();
  begin_link(std::move(outer), std::move(inner));
}

// Accepts libzmq's connection only when the service is reached. After a lost connection libzmq sends its
// subscriptions again, but only when its socket is used next; so it must not see connections that lead
// nowhere.
awaitable<void> PeerGuard::Relay::serve_socket() {
  const int number = socket_listener_.number();
  asio::posix::stream_descriptor listening(io_, fcntl(number, F_DUPFD_CLOEXEC, 0));
  while (!stopping_) {
    co_await listening.async_wait(asio::posix::stream_descriptor::wait_read, kAsTuple);
    Stream outer(io_), inner(io_);
    co_await (connect_to_service(outer) || pause(kConnecting));
    Descriptor accepted;
    if (outer.is_open()) accepted = Descriptor(accept4(number, nullptr, nullptr, SOCK_CLOEXEC));
    if (accepted.number() >= 0 && of_this_process(accepted.number())) {
      inner.assign(asio::generic::stream_protocol(AF_UNIX, 0), accepted.release());
      ++links_;
      co_await link(std::move(outer), std::move(inner));
      --links_;
      stop_when_idle();
    }
    co_await pause(pause_);
    pause_ = std::min(2 * pause_, kMaxPause);
  }
}

void PeerGuard::Relay::begin_link(Stream outer, Stream inner) {
  ++links_;
  asio::co_spawn(io_, link(std::move(outer), std::move(inner)), [this](const std::exception_ptr& error) {
    --links_;
    if (error) refuse("broke its connection");
    stop_when_idle();
  });
}

awaitable<std::vector<Address>> PeerGuard::Relay::service_addresses() {
  if (path_) co_return std::vector<Address>{*path_};
  if (!lookup_.valid()) {
    std::promise<std::vector<Address>> promise;
    lookup_ = promise.get_future();
    // Detached, so that a slow name server does not delay the end of the program.
    std::thread([promise = std::move(promise), host = host_, port = port_]() mutable {
      promise.set_value(look_up(host, port));
    }).detach();
  }
  while (lookup_.wait_for(milliseconds(0)) != std::future_status::ready) co_await pause(kLookupTurn);
  auto addresses = lookup_.get();
  if (addresses.empty()) refuse("has the unknown host name '" + host_ + "'");
  co_return addresses;
}

awaitable<void> PeerGuard::Relay::connect_to_service(Stream& outer) {
  for (const Address& address : co_await service_addresses()) {
    Stream stream(io_, address.protocol());
    const auto [error] = co_await stream.async_connect(address, kAsTuple);
    if (error) continue;
    without_delay(stream);
    outer = std::move(stream);
    co_return;
  }
}

awaitable<void> PeerGuard::Relay::link(Stream outer, Stream inner) {
  PeerJudge judge(rules_);
  std::string fault;
  peers_.insert(&outer);
  co_await (forward_inbound(outer, inner, judge, fault) || forward_outbound(inner, outer) ||
            await_introduction(judge, fault));
  peers_.erase(&outer);
  if (!fault.empty()) {
    refuse(fault);
  } else if (judge.ready()) {
    pause_ = kFirstPause;
  }
}

awaitable<void> PeerGuard::Relay::forward_inbound(Stream& outer, Stream& inner, PeerJudge& judge,
                                                  std::string& fault) {
  std::array<char, kChunkBytes> chunk;
  while (true) {
    const auto [error, got] = co_await outer.async_read_some(asio::buffer(chunk), kAsTuple);
    if (error) co_return;
    try {
      judge.take({chunk.data(), got}, steady_clock::now());
    } catch (const ZmtpFault& broken) {
      fault = broken.what();
      co_return;
    }
    const auto [failed, written] = co_await asio::async_write(inner, asio::buffer(chunk, got), kAsTuple);
    if (failed) co_return co_await pause(kLinger);  // libzmq has closed; its last bytes are still being sent
  }
}

awaitable<void> PeerGuard::Relay::forward_outbound(Stream& inner, Stream& outer) {
  std::array<char, kChunkBytes> chunk;
  while (true) {
    const auto [error, got] = co_await inner.async_read_some(asio::buffer(chunk), kAsTuple);
    if (error) break;
    const auto [failed, written] = co_await asio::async_write(outer, asio::buffer(chunk, got), kAsTuple);
    if (failed) co_return;
  }
  // The peer shall read what was sent before it sees the end; closing at once could discard it.
  boost::system::error_code ignored;
  outer.shutdown(Stream::shutdown_send, ignored);
  co_await pause(kLinger);
}

awaitable<void> PeerGuard::Relay::await_introduction(const PeerJudge& judge, std::string& fault) {
  co_await pause(kIntroduction);
  if (judge.ready()) co_return co_await pause(milliseconds::max() / 2'000'000);
  fault = format("did not introduce itself within {} ms", kIntroduction.count());
}

PeerGuard::PeerGuard(std::unique_ptr<Relay> relay) : relay_(std::move(relay)) {}
PeerGuard::PeerGuard(PeerGuard&&) noexcept = default;
PeerGuard::~PeerGuard() = default;

zmq::context_t PeerGuard::context() {
  if (!descriptors_left(kSpareDescriptors))
    throw Unavailable("too few file descriptors are left; raise the limit (ulimit -n, LimitNOFILE=)");
  return zmq::context_t(1);
}

PeerGuard PeerGuard::bind(zmq::socket_t& socket, const std::string& endpoint, const std::string& setting,
                          PeerRules rules) {
  auto relay = std::make_unique<Relay>(std::move(rules));
  relay->bind(socket, endpoint, setting);
  return PeerGuard(std::move(relay));
}

PeerGuard PeerGuard::connect(zmq::socket_t& socket, const std::string& endpoint, PeerRules rules) {
  auto relay = std::make_unique<Relay>(std::move(rules));
  relay->connect(socket, endpoint);
  return PeerGuard(std::move(relay));
}

void PeerGuard::cut_off_all() {
  relay_->cut_off_all();
}

const std::string& PeerGuard::endpoint() const {
  return relay_->endpoint();
}

}  // namespace palisade
