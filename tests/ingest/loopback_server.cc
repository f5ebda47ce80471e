#include "tests/ingest/loopback_server.h"

#include <array>
#include <atomic>
#include <boost/asio.hpp>
#include <list>
#include <stop_token>
#include <thread>

namespace palisade::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

class Peer : public LoopbackPeer {
 public:
  Peer(tcp::socket socket, asio::io_context& io, std::stop_token stop)
      : io_(io), socket_(std::move(socket)), stop_(std::move(stop)) {}

  std::string receive() override {
    std::array<char, 4096> bytes;
    std::size_t count = 0;
    socket_.async_read_some(asio::buffer(bytes), [&](error_code, std::size_t got) { count = got; });
    run();
    return {bytes.data(), count};
  }

  bool send(std::string_view bytes) override {
    bool sent = false;
    asio::async_write(socket_, asio::buffer(bytes), [&](error_code error, std::size_t) { sent = !error; });
    run();
    return sent;
  }

  int descriptor() override { return socket_.native_handle(); }

 private:
  // Waits for the operation that was started. After a stop request no handler runs any more.
  void run() {
    io_.restart();
    const std::stop_callback end(stop_, [this] { io_.stop(); });
    io_.run();
  }

  asio::io_context& io_;
  tcp::socket socket_;
  const std::stop_token stop_;
};

}  // namespace

struct LoopbackServer::State {
  struct PeerThread {
    std::atomic<bool> over{false};
    std::jthread thread;
  };

  State(Serve its_serve, const std::string& host)
      : serve(std::move(its_serve)), acceptor(io, {asio::ip::make_address(host), 0}) {
    accept();
    thread = std::jthread([this] { io.run(); });
  }
  ~State() {
    io.stop();
    thread = {};
    for (PeerThread& peer : peers) peer.thread.request_stop();
  }

  void accept() {
    auto peer_io = std::make_shared<asio::io_context>();
    acceptor.async_accept(*peer_io, [this, peer_io](error_code error, tcp::socket socket) {
      if (error) return;
      peers.remove_if([](const PeerThread& peer) { return peer.over.load(); });
      PeerThread& added = peers.emplace_back();
      added.thread =
          std::jthread([this, peer_io, &added, socket = std::move(socket)](std::stop_token stop) mutable {
            Peer peer(std::move(socket), *peer_io, std::move(stop));
            serve(peer);
            added.over = true;
          });
      accept();
    });
  }

  const Serve serve;
  asio::io_context io;
  tcp::acceptor acceptor;
  std::list<PeerThread> peers;  // used by the thread below until it has ended
  std::jthread thread;
};

LoopbackServer::LoopbackServer(Serve serve, const std::string& host)
    : state_(std::make_unique<State>(std::move(serve), host)) {}
LoopbackServer::~LoopbackServer() = default;

int LoopbackServer::port() const {
  return state_->acceptor.local_endpoint().port();
}

}  // namespace palisade::test
