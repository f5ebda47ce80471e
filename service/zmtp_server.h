#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "service/endpoint.h"
#include "service/log.h"
#include "service/zmtp.h"

namespace palisade {

struct ZmtpServerOptions {
  std::string endpoint;
  std::string setting;  // where another endpoint is chosen, for messages
  std::string name;     // begins its log lines
  std::string socket_type;
  std::vector<std::string> peer_types;
  ZmtpLimits limits;
  std::size_t most_peers = 128;
  // What waits for a peer that does not read; more is dropped for that peer.
  std::size_t queue_messages = 1000;
  std::size_t queue_bytes = 4u << 20;
};

// The bound end of a ZeroMQ socket, with everything that a peer can use up bounded: their number, what each
// may send, what waits for it, how long it may take to introduce itself. A peer that does otherwise is cut
// off, told in the log at most once a second. One thread's.
class ZmtpServer {
 public:
  using Peer = std::uint64_t;  // never the same twice
  // May throw ZmtpFault, which cuts the peer off.
  using OnMessage = std::function<void(Peer, ZmtpItem)>;
  using OnGone = std::function<void(Peer)>;

  // Throws Unavailable.
  ZmtpServer(ZmtpServerOptions options, OnMessage on_message, OnGone on_gone = {});
  ~ZmtpServer();

  // Waits until something comes, `wake` can be read, or the time is over; reads and writes what can be.
  void turn(std::chrono::milliseconds wait, int wake);
  // False where the peer is gone or its queue full: the message is dropped for it.
  bool send(Peer peer, const std::shared_ptr<const std::string>& frames);
  // Gives peers so long to take what waits for them.
  void drain(std::chrono::milliseconds time);
  const std::string& endpoint() const { return listener_.endpoint(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Connection {
    Descriptor socket;
    ZmtpReader reader;
    Clock::time_point since;
    std::deque<std::shared_ptr<const std::string>> queue;
    std::size_t queued_bytes = 0;
    std::size_t sent = 0;  // of the first in the queue
    bool gone = false;
  };
  void accept_peers();
  void read_from(Peer peer, Connection& connection);
  void handle(Peer peer, Connection& connection, ZmtpItem item);
  void write_to(Connection& connection);
  bool enqueue(Connection& connection, std::shared_ptr<const std::string> frames);
  void refuse(Connection& connection, const std::string& what);
  void forget_gone();

  const ZmtpServerOptions options_;
  const OnMessage on_message_;
  const OnGone on_gone_;
  Listener listener_;
  std::map<Peer, Connection> peers_;
  Peer last_ = 0;
  Clock::time_point accept_again_;
  OncePerSecond refusals_, shortage_;
};

}  // namespace palisade
