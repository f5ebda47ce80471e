#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "service/zeromq/zmtp.h"

namespace zmq {
class context_t;
class socket_t;
}  // namespace zmq

namespace palisade {

// What the peers of a ZeroMQ socket may be and send.
struct PeerRules {
  std::string name;                     // the beginning of log lines: "publisher"
  std::vector<std::string> peer_types;  // "SUB", "XSUB"
  ZmtpLimits message;
  bool only_subscribes = false;  // peers may send subscriptions and nothing else
  std::size_t max_peers = 128;
};

// A relay between the network and a libzmq socket of this process: it forwards bytes in both directions and
// checks what peers send. libzmq limits the size of a message part, but not the number of parts, peers and
// subscriptions. A peer that breaks the rules is disconnected before libzmq stores anything of what it sent;
// this is logged at most once a second. Has its own thread.
//
// The relay reaches the libzmq socket through an abstract Unix socket to which only this process can connect.
class PeerGuard {
 public:
  // A context for the sockets that are to be guarded. Throws Unavailable if so few file descriptors are left
  // that libzmq would end the process.
  static zmq::context_t context();
  // Binds the socket and listens on `endpoint` for up to `max_peers` peers, as long as enough file
  // descriptors are left. Throws Unavailable; its message names `setting` ("--publish") as the place to
  // choose another endpoint.
  static PeerGuard bind(zmq::socket_t& socket, const std::string& endpoint, const std::string& setting,
                        PeerRules rules);
  // Connects the socket to a service's endpoint, and again after every lost connection. Throws UsageError if
  // `endpoint` is malformed.
  static PeerGuard connect(zmq::socket_t& socket, const std::string& endpoint, PeerRules rules);

  PeerGuard(PeerGuard&&) noexcept;
  // Close the libzmq socket first. Waits up to half a second until what it has sent is delivered.
  ~PeerGuard();

  // Ends all connections; peers that may connect do so again. Thread-safe.
  void cut_off_all();
  // The endpoint that peers connect to; a port * is replaced by the port that was bound.
  const std::string& endpoint() const;

 private:
  class Relay;
  explicit PeerGuard(std::unique_ptr<Relay> relay);
  std::unique_ptr<Relay> relay_;
};

}  // namespace palisade
